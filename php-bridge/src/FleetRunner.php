<?php

declare(strict_types=1);

namespace AgentWorkers;

use AgentWorkers\Event\Done;
use AgentWorkers\Fleet\EntryId;
use AgentWorkers\Fleet\Fleet;
use AgentWorkers\Fleet\FleetTransport;
use AgentWorkers\Fleet\JobOptions;
use AgentWorkers\Fleet\Submitted;
use Psr\Log\LoggerInterface;
use Psr\Log\NullLogger;

/**
 * Has each request run by a machine of the fleet. A run is read as one of a process is, but it outlives its reader:
 * leaving the loop does not stop it. Immutable: each setting returns a changed copy.
 */
final class FleetRunner implements Runner
{
    private JobOptions $job;
    private bool $endsWhenLeft = false;
    private LoggerInterface $logger;

    /** @param string $worker such as agent-chat */
    public function __construct(private readonly Fleet $fleet, private readonly string $worker = 'agent-chat')
    {
        $this->job = JobOptions::make();
        $this->logger = new NullLogger();
    }

    /** Sets how the jobs wait, and how often they are tried. */
    public function job(JobOptions $job): self
    {
        return $this->with(static fn (self $runner) => $runner->job = $job);
    }

    /** Whether a run ends when the loop that reads it is left. By default it goes on. */
    public function endWhenLeft(bool $ends = true): self
    {
        return $this->with(static fn (self $runner) => $runner->endsWhenLeft = $ends);
    }

    /** Logs faults in what comes. */
    public function logger(LoggerInterface $logger): self
    {
        return $this->with(static fn (self $runner) => $runner->logger = $logger);
    }

    public function run(Request $request): Done
    {
        return $this->stream($request)->wait();
    }

    /** The run is submitted when it is first iterated. */
    public function stream(Request $request): Run
    {
        $begin = fn (string $json): string => $this->submit(Request::fromJson($json))->run;
        $transport = new FleetTransport(
            $this->fleet,
            $begin,
            $this->endsWhenLeft,
            hasTools: $request->handlers() !== [],
        );
        if ($request->hasCredential()) {
            $this->submit($request); // refuses it
        }

        return new Run($request, $transport, $this->logger, INF);
    }

    /** Submits a request, and does not wait. */
    public function submit(Request $request): Submitted
    {
        return $this->fleet->submit($request, $this->job, $this->worker);
    }

    /**
     * Reads a run that was submitted before, by anybody, after an event. Its tools are answered here if the request has
     * handlers for them.
     *
     * @param Request $request as it was submitted, which JobStatus::request() returns
     * @param string $after id of the last event that you have, `<attempt>-<seq>`
     */
    public function attach(Request $request, string $after = '0'): Run
    {
        $run = (string) $request->get('run');
        $at = EntryId::of($after);
        $hasTools = $request->handlers() !== [];
        $transport = new FleetTransport($this->fleet, static fn (): string => $run, false, $at, $hasTools);

        return new Run($request, $transport, $this->logger, INF, $at->seq);
    }

    /** @param \Closure(self): mixed $change */
    private function with(\Closure $change): self
    {
        $copy = clone $this;
        $change($copy);

        return $copy;
    }
}
