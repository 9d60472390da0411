<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** The agent has read a word that was said while it worked. */
final class Steered extends Event
{
    /** Id of the control message, which Run::steer() returned. */
    public readonly string $id;
    public readonly ?string $actor;

    protected function read(Fields $fields): void
    {
        $this->id = $fields->string('id');
        $this->actor = $fields->stringOrNull('actor');
    }
}
