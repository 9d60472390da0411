<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Events;

/** Something that happened to a run. What a listener throws is reported; the run goes on. */
abstract class RunEvent
{
    /**
     * @param string $run id of the run: all attempts of a queued one have the same
     * @param string $worker its name in config/agent-workers.php
     * @param string|null $user for whom it runs, as PendingRun::user() says
     * @param array{type: string, id: string}|null $subject what it is about, as PendingRun::subject() says
     * @param string|null $goal what it is meant to achieve, as PendingRun::goal() says
     * @param array<string, mixed> $metadata what the request brought for itself
     */
    public function __construct(
        public readonly string $run,
        public readonly string $worker,
        public readonly ?string $user = null,
        public readonly ?array $subject = null,
        public readonly ?string $goal = null,
        public readonly array $metadata = [],
    ) {
    }
}
