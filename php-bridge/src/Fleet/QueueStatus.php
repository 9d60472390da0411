<?php

declare(strict_types=1);

namespace AgentWorkers\Fleet;

/** A queue of the fleet as it is now. */
final class QueueStatus
{
    /**
     * @internal
     *
     * @param int $waiting jobs that could begin, but for a slot, a limit or a pause
     * @param int $scheduled jobs that wait for their time
     * @param int $running runs that a slot has in hand
     * @param int $asking those of them that wait for an answer
     * @param int $slots that take jobs
     * @param int|null $limit how many runs it may have at once; null for no limit
     * @param array<string, int> $ended how often runs ended: by done, aborted, error:CODE; and lost, for attempts of
     *     which the machine went
     */
    public function __construct(
        public readonly int $waiting,
        public readonly int $scheduled,
        public readonly int $running,
        public readonly int $asking,
        public readonly int $slots,
        public readonly ?int $limit,
        public readonly array $ended,
    ) {
    }
}
