<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** The next piece of the answer. Concatenated, the deltas are the answer. */
final class Delta extends Event
{
    public readonly string $text;
    public readonly int $block;

    protected function read(Fields $fields): void
    {
        $this->text = $fields->string('text');
        $this->block = $fields->int('block');
    }
}
