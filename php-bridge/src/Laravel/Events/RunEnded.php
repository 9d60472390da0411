<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Events;

use AgentWorkers\Batch\BatchResult;
use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\Done;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Event\Usage;

/**
 * A run has ended, and its worker has gone: dispatched once for each RunStarted, after the browser has got the last
 * event, unless PHP itself ends before; and for each result of a batch.
 */
final class RunEnded extends RunEvent
{
    /**
     * @param array{type: string, id: string}|null $subject
     * @param array<string, mixed> $metadata
     * @param string $status done, error, or aborted; what was left before its end is aborted
     * @param Done|ErrorEvent|Aborted|null $event its last event; of a batch, only where a request failed
     * @param float|null $costUsd an estimate
     * @param int|null $durationMs as `done` says, or else as it was here; null in a batch
     * @param BatchResult|null $result of a batch; its `key` is that of the request
     */
    public function __construct(
        string $run,
        string $worker,
        ?string $user = null,
        ?array $subject = null,
        ?string $goal = null,
        array $metadata = [],
        public readonly string $status = 'done',
        public readonly Done|ErrorEvent|Aborted|null $event = null,
        public readonly ?Usage $usage = null,
        public readonly ?float $costUsd = null,
        public readonly ?int $durationMs = null,
        public readonly ?BatchResult $result = null,
    ) {
        parent::__construct($run, $worker, $user, $subject, $goal, $metadata);
    }

    public function isDone(): bool
    {
        return $this->status === 'done';
    }
}
