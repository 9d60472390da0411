<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Fleet;

use AgentWorkers\Event\AppToolCall;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Exception\AgentWorkersException;
use AgentWorkers\Fleet\Fleet;
use AgentWorkers\Fleet\FleetTransport;
use AgentWorkers\Fleet\JobStatus;
use AgentWorkers\Fleet\ToolCalls;
use AgentWorkers\Laravel\Registry;
use AgentWorkers\Run\AppTools;
use AgentWorkers\Run\Controls;
use AgentWorkers\Run\Expiry;
use Illuminate\Contracts\Container\Container;
use Psr\Log\LoggerInterface;

/**
 * Answers the calls of registered tools, of runs that nobody reads. A call is run by one: who takes it first.
 *
 * @internal
 */
final class ToolService
{
    /** How long whoever reads the run may go first. */
    private const HEAD_START_S = 1.0;
    private const POLL_US = 20_000;

    private readonly Fleet $fleet;

    public function __construct(
        private readonly Container $app,
        private readonly Registry $registry,
        private readonly LoggerInterface $logger,
        FleetAccess $access,
    ) {
        $this->fleet = $access->fleet();
    }

    /**
     * Deals with a call.
     *
     * @param array<string, string> $entry
     * @param bool $isAbandoned whether another process has had it
     *
     * @return bool whether it need not be looked at again
     */
    public function serve(ToolCalls $calls, array $entry, bool $isAbandoned): bool
    {
        try {
            $call = EventFactory::fromJson($entry['event'] ?? '');
        } catch (AgentWorkersException) {
            return true;
        }
        [$run, $attempt] = [(string) ($entry['run'] ?? ''), (int) ($entry['attempt'] ?? 0)];
        if (!$call instanceof AppToolCall || !in_array($call->name, $this->registry->names($this->app), true)) {
            return true; // of another application
        }
        $job = $this->fleet->status($run);
        $isOver = $job === null || !$job->isRunning() || $job->attempt !== $attempt;
        if ($isOver || Expiry::isOver($call->expiresAt)) {
            return true;
        }
        if ($calls->hasReader($run)) {
            $this->letOthersGoFirst($calls, $run, $attempt, $call);
        }
        if ($calls->claim($run, $attempt, ToolCalls::nameOf($call), $call->expiresAt)) {
            $this->answer($job, $call);

            return true;
        }
        if (!$this->registry->isOnce($call->name, $this->app)) {
            return true; // nobody knows what the other has done: it is not done again
        }
        if ($isAbandoned && $calls->isOpen($run, $attempt, ToolCalls::nameOf($call))) {
            $this->answer($job, $call); // from the record, if the other has come to its end

            return true;
        }

        return $isAbandoned;
    }

    private function letOthersGoFirst(ToolCalls $calls, string $run, int $attempt, AppToolCall $call): void
    {
        $end = microtime(true) + self::HEAD_START_S;
        while (microtime(true) < $end && !$calls->isTaken($run, $attempt, $call)) {
            usleep(self::POLL_US);
        }
    }

    private function answer(JobStatus $job, AppToolCall $call): void
    {
        $controls = new Controls($job->run, FleetTransport::to($this->fleet, $job->run), $this->logger);
        $result = static fn (string $id, string|array $content, bool $isError, ?bool $mayRetry, bool $isKept): ?string
            => $controls->toolResult($id, $content, $isError, $mayRetry, $isKept, null);
        $print = function (string $id, string $text) use ($controls): ?string {
            $controls->toolOutput($id, $text);

            return null; // nothing to wait for: nobody here reads what comes back
        };
        $handlers = [$call->name => $this->registry->handler($call->name, $this->app)[0]];
        $isShown = $job->request()->wantsToolOutput();
        $tools = new AppTools($handlers, $result, $isShown ? $print : null, $this->logger);
        $tools->note($call);
        $tools->run();
    }
}
