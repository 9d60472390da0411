<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** A type that this version does not know: pass it on or ignore it. Its fields are in `data`. */
final class UnknownEvent extends Event
{
    protected function read(Fields $fields): void
    {
    }
}
