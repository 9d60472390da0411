<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** A tool call waits for consent: answer with Run::permission(). No answer means deny. */
final class PermissionRequest extends Event
{
    public readonly string $permissionId;
    public readonly string $toolUseId;
    public readonly string $name;
    /** @var array<string, mixed> */
    public readonly array $input;
    public readonly ?string $reason;
    public readonly string $expiresAt;

    protected function read(Fields $fields): void
    {
        $this->permissionId = $fields->string('permission_id');
        $this->toolUseId = $fields->string('tool_use_id');
        $this->name = $fields->string('name');
        $this->input = $fields->array('input');
        $this->reason = $fields->stringOrNull('reason');
        $this->expiresAt = $fields->string('expires_at');
    }
}
