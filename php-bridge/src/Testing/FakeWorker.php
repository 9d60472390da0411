<?php

declare(strict_types=1);

namespace AgentWorkers\Testing;

use AgentWorkers\Event\Done;
use AgentWorkers\Fleet\JobOptions;
use AgentWorkers\Request;
use AgentWorkers\Run;
use AgentWorkers\Runner;

/**
 * A fake, as one of several workers.
 *
 * @internal
 */
final class FakeWorker implements Runner
{
    public function __construct(
        private readonly FakeRunner $fake,
        private readonly string $worker,
        private readonly ?JobOptions $job = null,
    ) {
    }

    public function run(Request $request): Done
    {
        return $this->stream($request)->wait();
    }

    public function stream(Request $request): Run
    {
        return $this->fake->start($request, $this->worker, $this->job);
    }
}
