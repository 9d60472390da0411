<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** `status` is ok, error or denied. */
final class ToolResult extends Event
{
    public readonly string $toolUseId;
    public readonly string $status;
    public readonly string $content;
    public readonly ?string $parentToolUseId;
    /** Whether the same call may succeed later; null if unknown. */
    public readonly ?bool $retryable;
    /** True if the application answered from its record of an earlier attempt, and ran nothing. */
    public readonly ?bool $replayed;

    protected function read(Fields $fields): void
    {
        $this->toolUseId = $fields->string('tool_use_id');
        $this->status = $fields->string('status');
        $this->content = $fields->string('content');
        $this->parentToolUseId = $fields->stringOrNull('parent_tool_use_id');
        $this->retryable = $fields->boolOrNull('retryable');
        $this->replayed = $fields->boolOrNull('replayed');
    }
}
