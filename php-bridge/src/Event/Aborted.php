<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** The run was stopped from outside. `reason` is client, signal or parent_gone. */
final class Aborted extends Event
{
    public readonly string $reason;
    public readonly ?string $sessionId;
    public readonly ?Usage $usage;
    public readonly ?float $costUsd;
    /** @var array<string, mixed>|null */
    public readonly ?array $metadata;
    /** @var array{type: string, id: string}|null what the run is about */
    public readonly ?array $subject;
    public readonly ?string $user;
    public readonly ?string $goal;

    protected function read(Fields $fields): void
    {
        $this->reason = $fields->string('reason');
        $this->sessionId = $fields->stringOrNull('session_id');
        $this->usage = $fields->usageOrNull('usage');
        $this->costUsd = $fields->floatOrNull('cost_usd');
        $this->metadata = $fields->arrayOrNull('metadata');
        $this->subject = $fields->arrayOrNull('subject');
        $this->user = $fields->stringOrNull('user');
        $this->goal = $fields->stringOrNull('goal');
    }
}
