<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** A call to the API failed and is tried again. */
final class Retry extends Event
{
    public readonly int $attempt;
    public readonly int $maxAttempts;
    public readonly int $delayMs;
    public readonly ?int $httpStatus;
    public readonly string $code;

    protected function read(Fields $fields): void
    {
        $this->attempt = $fields->int('attempt');
        $this->maxAttempts = $fields->int('max_attempts');
        $this->delayMs = $fields->int('delay_ms');
        $this->httpStatus = $fields->intOrNull('http_status');
        $this->code = $fields->string('code');
    }
}
