<?php

declare(strict_types=1);

namespace AgentWorkers\Tests;

use AgentWorkers\PoolRunner;
use AgentWorkers\ProcessRunner;
use Symfony\Component\Process\Process;

/** A real server on a Unix socket that plays what a pool may do. */
trait Pools
{
    use Workers;

    private ?Process $pool = null;

    /** @after */
    protected function endPool(): void
    {
        $this->pool?->stop(0);
    }

    private function pool(string $play, ?ProcessRunner $fallback = null): PoolRunner
    {
        $this->pool = new Process(['python3', __DIR__ . '/fixtures/pool.py', $this->socket(), $play]);
        $this->pool->start();
        self::eventually(fn (): bool => file_exists($this->socket()), 'The pool did not come up.');

        return new PoolRunner($this->socket(), 'agent-chat', $fallback);
    }

    private function socket(): string
    {
        return $this->directory() . '/pool.sock';
    }

    /** @return list<mixed> what the pool was told under this name */
    private function told(string $name): array
    {
        $lines = (array) @file($this->socket() . '.log');
        $notes = array_map(static fn (string $line): array => json_decode($line, true), array_filter($lines));

        return array_column($notes, $name);
    }

    private static function openFiles(): int
    {
        return count((array) glob('/proc/self/fd/*'));
    }

    /** In microseconds. */
    private static function cpuTime(): int
    {
        $usage = getrusage();

        return ($usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec']) * 1_000_000
            + $usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec'];
    }
}
