<?php

declare(strict_types=1);

namespace AgentWorkers\Fleet;

/** A tenant that has as many runs as it may. */
final class TenantStatus
{
    /**
     * @internal
     *
     * @param int $waiting jobs of its that could begin
     * @param int $running runs of its, in all queues
     * @param int $limit how many it may have at once
     */
    public function __construct(
        public readonly int $waiting,
        public readonly int $running,
        public readonly int $limit,
    ) {
    }
}
