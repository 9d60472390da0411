<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** News of a subagent or of background work. */
final class Task extends Event
{
    public readonly string $taskId;
    public readonly string $status;
    public readonly string $description;
    public readonly ?string $toolUseId;

    protected function read(Fields $fields): void
    {
        $this->taskId = $fields->string('task_id');
        $this->status = $fields->string('status');
        $this->description = $fields->string('description');
        $this->toolUseId = $fields->stringOrNull('tool_use_id');
    }
}
