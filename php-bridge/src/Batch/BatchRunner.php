<?php

declare(strict_types=1);

namespace AgentWorkers\Batch;

use AgentWorkers\Request;

/** Runs many requests, some at a time: ProcessBatchRunner for real, Testing\FakeRunner in tests. */
interface BatchRunner
{
    /**
     * Returns a batch that starts when it is first iterated. Few requests are in memory at a time, however many there
     * are, so give it a generator. When the iteration ends, nothing is left running.
     *
     * @param iterable<array-key, Request> $requests of a skill, or of the batch's worker; the field `worker` names
     *     another one: `$request->with('worker', 'agent-task')`
     */
    public function batch(iterable $requests, BatchOptions $options = new BatchOptions()): Batch;
}
