<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** The answer to a control message. */
final class Ack extends Event
{
    public readonly string $id;
    public readonly bool $ok;
    public readonly ?string $code;

    protected function read(Fields $fields): void
    {
        $this->id = $fields->string('id');
        $this->ok = $fields->bool('ok');
        $this->code = $fields->stringOrNull('code');
    }
}
