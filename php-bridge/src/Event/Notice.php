<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** Something worth knowing. `level` is info or warning. */
final class Notice extends Event
{
    public readonly string $level;
    public readonly string $code;
    public readonly string $message;

    protected function read(Fields $fields): void
    {
        $this->level = $fields->string('level');
        $this->code = $fields->string('code');
        $this->message = $fields->string('message');
    }
}
