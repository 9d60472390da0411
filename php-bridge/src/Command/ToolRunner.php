<?php

declare(strict_types=1);

namespace AgentWorkers\Command;

use AgentWorkers\Event\Done;
use AgentWorkers\Request;
use AgentWorkers\Run;
use AgentWorkers\Runner;
use Psr\Log\LoggerInterface;

/**
 * Runs a tool of the application for a person, in this process and without a model.
 *
 * @internal
 */
final class ToolRunner implements Runner
{
    /** @param array<string, mixed> $input that satisfies the tool's schema */
    public function __construct(
        private readonly Command $command,
        private readonly array $input,
        private readonly \Closure $handler,
        private readonly LoggerInterface $logger,
    ) {
    }

    public function run(Request $request): Done
    {
        return $this->stream($request)->wait();
    }

    public function stream(Request $request): Run
    {
        $transport = new ToolTransport($this->command, $this->input, $this->handler, $this->logger);

        return new Run($request, $transport, $this->logger, INF);
    }
}
