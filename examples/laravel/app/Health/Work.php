<?php

declare(strict_types=1);

namespace App\Health;

use AgentWorkers\Batch\BatchResult;
use AgentWorkers\Laravel\PendingBatch;

/** Partners whose health is to be computed anew. */
interface Work
{
    /** How many they are. */
    public function count(): int;

    /** @return PendingBatch<string, BatchResult> by the ids of the partners */
    public function begin(?int $concurrency, ?float $maxCostUsd): PendingBatch;

    /**
     * Stores what has come of one.
     *
     * @return string|null why it has failed
     */
    public function take(string $partner, BatchResult $result): ?string;
}
