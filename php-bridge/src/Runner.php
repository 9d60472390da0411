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
     * @throws InvalidArgumentException the request cannot be encoded
     */
    public function run(Request $request): Done;

    /**
     * Nothing runs before the first iteration, and nothing goes on running after the last.
     *
     * @throws InvalidArgumentException the request cannot be encoded
     */
    public function stream(Request $request): Run;
}
