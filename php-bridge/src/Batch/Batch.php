<?php

declare(strict_types=1);

namespace AgentWorkers\Batch;

use AgentWorkers\Exception\BatchFailedException;
use AgentWorkers\Exception\BatchStoppedException;
use AgentWorkers\Exception\LogicException;

/**
 * Many runs: iterate it for their results, in the order in which they end, each under the key of its request. A request
 * that fails is a result, too. Leaving the loop early stops all runs.
 *
 * @implements \IteratorAggregate<array-key, BatchResult>
 */
final class Batch implements \IteratorAggregate
{
    private bool $isBegun = false;
    private bool $isStopped = false;

    /** @internal a BatchRunner makes batches */
    public function __construct(private readonly Source $source)
    {
    }

    /**
     * @return \Generator<array-key, BatchResult>
     *
     * @throws BatchFailedException it could not begin, or broke off
     * @throws BatchStoppedException it stopped before all of its requests were run
     */
    public function getIterator(): \Generator
    {
        if ($this->isBegun) {
            throw new LogicException('A batch is iterated once. Start another one for the same requests.');
        }
        $this->isBegun = true;
        if ($this->isStopped) {
            throw new BatchStoppedException('signal');
        }
        yield from $this->source->results();
    }

    /**
     * Begins no more runs. Those under way get the grace to end: the loop goes on to their results, and then throws a
     * BatchStoppedException.
     */
    public function stop(): void
    {
        $this->isStopped = true;
        if ($this->isBegun) {
            $this->source->stop();
        }
    }

    /** What it came to; null before its end, and where it broke off. */
    public function totals(): ?BatchTotals
    {
        return $this->source->totals();
    }

    /** How many requests are out in the economy lane; null before the end, and where the batch broke off. */
    public function pending(): ?int
    {
        return $this->totals()?->out;
    }
}
