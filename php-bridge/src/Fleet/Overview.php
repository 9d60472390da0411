<?php

declare(strict_types=1);

namespace AgentWorkers\Fleet;

/** The fleet as it is now. */
final class Overview
{
    /**
     * @internal
     *
     * @param array<string, QueueStatus> $queues by their names
     * @param array<string, TenantStatus> $tenants those that have as many runs as they may, by their names
     * @param array<string, \DateTimeImmutable> $paused credentials that wait, each with until when; the empty name is
     *     the machines' own
     * @param array<string, MachineStatus> $machines processes that work, by their names
     * @param int $dead how many failed runs wait for a person
     */
    public function __construct(
        public readonly \DateTimeImmutable $now,
        public readonly array $queues,
        public readonly array $tenants,
        public readonly array $paused,
        public readonly array $machines,
        public readonly int $dead,
    ) {
    }
}
