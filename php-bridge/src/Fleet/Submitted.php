<?php

declare(strict_types=1);

namespace AgentWorkers\Fleet;

/** A job that the fleet has. */
final class Submitted
{
    /**
     * @param bool $isNew false where the same job had been submitted before
     * @param string $state see JobStatus
     */
    public function __construct(
        public readonly string $run,
        public readonly bool $isNew,
        public readonly string $state,
    ) {
    }
}
