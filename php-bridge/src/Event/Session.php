<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** The agent is up. */
final class Session extends Event
{
    public readonly string $sessionId;
    public readonly string $model;
    public readonly string $cliVersion;
    /** @var list<string> */
    public readonly array $tools;
    public readonly bool $resumed;

    protected function read(Fields $fields): void
    {
        $this->sessionId = $fields->string('session_id');
        $this->model = $fields->string('model');
        $this->cliVersion = $fields->string('cli_version');
        $this->tools = $fields->array('tools');
        $this->resumed = $fields->bool('resumed');
    }
}
