<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Fleet\JobStatus;

/**
 * A run that a request may look at, or answer.
 *
 * @internal
 */
final class FoundRun
{
    /**
     * @param string $owner whose it is
     * @param JobStatus|null $job of a run of the fleet; null where a process of this application holds it
     * @param bool $isOwn whether it belongs to whoever asks
     */
    public function __construct(
        public readonly string $id,
        public readonly string $owner,
        public readonly ?JobStatus $job,
        public readonly bool $isOwn,
    ) {
    }
}
