<?php

declare(strict_types=1);

namespace AgentWorkers\Batch;

/**
 * Where the results of a batch come from.
 *
 * @internal
 */
interface Source
{
    /** @return \Generator<array-key, BatchResult> by the keys of the requests; leaves nothing running */
    public function results(): \Generator;

    /** Begins no more runs; results() goes on to those of the runs under way. */
    public function stop(): void;

    /** Null before the end, and where the batch broke off. */
    public function totals(): ?BatchTotals;
}
