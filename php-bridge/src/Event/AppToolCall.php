<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/**
 * The model calls a tool of the application. If the request has no handler for it, answer with Run::toolResult(). The
 * input was written by the model.
 */
final class AppToolCall extends Event
{
    public readonly string $callId;
    public readonly string $name;
    /** @var array<string, mixed> */
    public readonly array $input;
    public readonly string $expiresAt;
    /** Id of the call in `tool_call` and `tool_result`; null if unknown. */
    public readonly ?string $toolUseId;
    /** The same in each attempt of the run: pass it on as an idempotency key. Null with an older worker. */
    public readonly ?string $effectKey;

    protected function read(Fields $fields): void
    {
        $this->callId = $fields->string('call_id');
        $this->name = $fields->string('name');
        $this->input = $fields->array('input');
        $this->expiresAt = $fields->string('expires_at');
        $this->toolUseId = $fields->stringOrNull('tool_use_id');
        $this->effectKey = $fields->stringOrNull('effect_key');
    }
}
