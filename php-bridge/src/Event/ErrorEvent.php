<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** The run failed. `message` is safe to show to a user. */
final class ErrorEvent extends Event
{
    public readonly string $code;
    public readonly string $message;
    public readonly bool $retryable;
    public readonly ?int $retryAfterMs;
    /** With the code session_busy: for how long the other run has been at work. */
    public readonly ?int $busyMs;
    public readonly ?int $httpStatus;
    /** @var list<array{pointer: string, message: string, did_you_mean?: string}>|null */
    public readonly ?array $details;
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
        $this->code = $fields->string('code');
        $this->message = $fields->string('message');
        $this->retryable = $fields->bool('retryable');
        $this->retryAfterMs = $fields->intOrNull('retry_after_ms');
        $this->busyMs = $fields->intOrNull('busy_ms');
        $this->httpStatus = $fields->intOrNull('http_status');
        $this->details = $fields->arrayOrNull('details');
        $this->sessionId = $fields->stringOrNull('session_id');
        $this->usage = $fields->usageOrNull('usage');
        $this->costUsd = $fields->floatOrNull('cost_usd');
        $this->metadata = $fields->arrayOrNull('metadata');
        $this->subject = $fields->arrayOrNull('subject');
        $this->user = $fields->stringOrNull('user');
        $this->goal = $fields->stringOrNull('goal');
    }
}
