<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** The text of these blocks was superseded: drop it. */
final class Discard extends Event
{
    /** @var list<int> */
    public readonly array $blocks;
    public readonly string $reason;

    protected function read(Fields $fields): void
    {
        $this->blocks = $fields->array('blocks');
        $this->reason = $fields->string('reason');
    }
}
