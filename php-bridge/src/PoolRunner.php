<?php

declare(strict_types=1);

namespace AgentWorkers;

use AgentWorkers\Event\Done;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Process\Credential;
use AgentWorkers\Process\PoolConnection;
use AgentWorkers\Process\PoolOrProcess;
use AgentWorkers\Process\PoolTransport;
use AgentWorkers\Process\Transport;
use Psr\Log\LoggerInterface;
use Psr\Log\NullLogger;

/**
 * Has each request run by the pool behind a socket, `agent-workers pool`, whose agents are started ahead. Where no pool
 * takes the connection, the fallback runs it. Immutable: each setting returns a changed copy.
 */
final class PoolRunner implements Runner
{
    private readonly string $socket;
    private ?ProcessRunner $fallback;
    private ?string $name = null;
    private float $grace = 8.0;
    private float $overtime = 30.0;
    private LoggerInterface $logger;

    /**
     * @param string $socket absolute path, such as /run/agent-workers/pool.sock
     * @param string $worker such as agent-chat
     * @param ProcessRunner|null $fallback without one, a run that no pool takes fails, and is worth another try
     *
     * @throws InvalidArgumentException no socket can have this path
     */
    public function __construct(
        string $socket,
        private readonly string $worker,
        ?ProcessRunner $fallback = null,
    ) {
        $this->fallback = $fallback?->env(['AGENT_WORKERS_POOL' => false]); // it is not to ask a pool once more
        $this->socket = PoolConnection::checked($socket);
        $this->logger = new NullLogger();
    }

    /** Sets the name of a pool in the pool's configuration. Without it the first one that fits is taken. */
    public function name(?string $name): self
    {
        return $this->with(static fn (self $runner) => $runner->name = $name);
    }

    /** Seconds between the signal that stops the worker and the end of the connection, which kills it. */
    public function grace(float $seconds): self
    {
        return $this->with(static function (self $runner) use ($seconds): void {
            [$runner->grace, $runner->fallback] = [$seconds, $runner->fallback?->grace($seconds)];
        });
    }

    /** Seconds after the request's `limits.timeout_s` at which a worker that still runs is stopped. */
    public function overtime(float $seconds): self
    {
        return $this->with(static fn (self $runner) => $runner->overtime = $seconds);
    }

    /** Logs faults in what comes, and, at level info, each run that the fallback gets. */
    public function logger(LoggerInterface $logger): self
    {
        return $this->with(static fn (self $runner) => $runner->logger = $logger);
    }

    /** What runs a request that no pool takes. */
    public function fallback(): ?ProcessRunner
    {
        return $this->fallback;
    }

    public function run(Request $request): Done
    {
        return $this->stream($request)->wait();
    }

    public function stream(Request $request): Run
    {
        $asked = ['worker' => $this->worker] + array_filter(['name' => $this->name], is_string(...));
        $credential = new Credential($request->ownCredential());
        $pool = new PoolTransport($this->socket, $asked, $this->grace, $credential);
        $fallback = $this->fallback;
        $transport = $fallback === null ? $pool : new PoolOrProcess(
            $pool,
            static fn (): Transport => $fallback->transport($credential->key()),
            $this->logger,
        );

        return new Run($request->withoutCredential(), $transport, $this->logger, $this->overtime);
    }

    /** @param \Closure(self): mixed $change */
    private function with(\Closure $change): self
    {
        $copy = clone $this;
        $change($copy);

        return $copy;
    }
}
