<?php

declare(strict_types=1);

namespace AgentWorkers;

use AgentWorkers\Event\Done;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;

/** Runs agents: ProcessRunner for real, Testing\FakeRunner in tests. */
interface Runner
{
    /**
     * Waits for the answer.
     *
     * @throws RunFailedException
     * @throws RunAbortedException
     * @throws InvalidArgumentException the request cannot be written as JSON
     */
    public function run(Request $request): Done;

    /**
     * Returns a run that starts when it is first iterated. When the iteration ends, nothing is left running.
     *
     * @throws InvalidArgumentException the request cannot be written as JSON
     */
    public function stream(Request $request): Run;
}
