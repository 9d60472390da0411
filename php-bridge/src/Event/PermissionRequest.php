<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/**
 * A tool call waits for permission: answer with Run::onPermission() or Run::decide(). Without an answer it is denied.
 * If `truncatedBytes` is not null, the call would run with more input than this event shows.
 */
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
