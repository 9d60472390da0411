<?php

declare(strict_types=1);

namespace AgentWorkers\Fleet;

/** A run that failed for good, until a person has looked at it. */
final class DeadRun
{
    /**
     * @internal
     *
     * @param JobStatus|null $status what is known of it; null where its job is not kept any more
     */
    public function __construct(
        public readonly string $run,
        public readonly \DateTimeImmutable $failedAt,
        public readonly ?JobStatus $status,
    ) {
    }
}
