<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** `behavior` is allow or deny; `by` is client, timeout, policy or abort. */
final class PermissionResolved extends Event
{
    public readonly string $permissionId;
    public readonly string $behavior;
    public readonly string $by;
    /** Who answered, as the application said. */
    public readonly ?string $actor;
    /** The application's signature of the decision, as it was sent. */
    public readonly ?string $signature;

    protected function read(Fields $fields): void
    {
        $this->permissionId = $fields->string('permission_id');
        $this->behavior = $fields->string('behavior');
        $this->by = $fields->string('by');
        $this->actor = $fields->stringOrNull('actor');
        $this->signature = $fields->stringOrNull('signature');
    }
}
