<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** The next piece of the model's thinking, where the request asked for it. */
final class Thinking extends Event
{
    public readonly string $text;
    public readonly int $block;

    protected function read(Fields $fields): void
    {
        $this->text = $fields->string('text');
        $this->block = $fields->int('block');
    }
}
