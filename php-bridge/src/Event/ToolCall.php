<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

final class ToolCall extends Event
{
    public readonly string $toolUseId;
    public readonly string $name;
    /** @var array<string, mixed> */
    public readonly array $input;
    public readonly ?string $parentToolUseId;

    protected function read(Fields $fields): void
    {
        $this->toolUseId = $fields->string('tool_use_id');
        $this->name = $fields->string('name');
        $this->input = $fields->array('input');
        $this->parentToolUseId = $fields->stringOrNull('parent_tool_use_id');
    }
}
