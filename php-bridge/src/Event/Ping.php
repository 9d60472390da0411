<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** The run is alive but has nothing to say. */
final class Ping extends Event
{
    public readonly int $idleMs;

    protected function read(Fields $fields): void
    {
        $this->idleMs = $fields->int('idle_ms');
    }
}
