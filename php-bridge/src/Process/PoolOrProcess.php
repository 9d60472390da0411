<?php

declare(strict_types=1);

namespace AgentWorkers\Process;

use Psr\Log\LoggerInterface;

/**
 * Has the pool run the worker, or, where no pool takes the connection, a process of its own. That is settled before a
 * byte of the request is written, so nothing runs twice.
 *
 * @internal
 */
final class PoolOrProcess implements Transport
{
    private Transport $chosen;

    /** @param \Closure(): Transport $process */
    public function __construct(
        private readonly PoolTransport $pool,
        private readonly \Closure $process,
        private readonly LoggerInterface $logger,
    ) {
        $this->chosen = $pool;
    }

    public function chunks(string $request, \Closure $tick): \Generator
    {
        if (!$this->pool->connect()) {
            $context = ['socket' => $this->pool->socket, 'problem' => $this->pool->stderr()];
            $this->logger->info('No pool of agents answers. A worker is started for this run.', $context);
            $this->chosen = ($this->process)();
        }

        return $this->chosen->chunks($request, $tick);
    }

    public function send(string $line): bool
    {
        return $this->chosen->send($line);
    }

    public function terminate(): void
    {
        $this->chosen->terminate();
    }

    public function terminateAfterGrace(): void
    {
        $this->chosen->terminateAfterGrace();
    }

    public function finish(): void
    {
        $this->chosen->finish();
    }

    public function stop(): void
    {
        $this->chosen->stop();
    }

    public function exitStatus(): ExitStatus
    {
        return $this->chosen->exitStatus();
    }

    public function stderr(): string
    {
        return $this->chosen->stderr();
    }
}
