<?php

declare(strict_types=1);

namespace AgentWorkers\Tests;

use Symfony\Component\Process\Process;

/** A real server on a Unix socket that plays what a pool may do. Needs TemporaryDirectory. */
trait Pools
{
    private ?Process $pool = null;

    /** @after */
    protected function endPool(): void
    {
        $this->pool?->stop(0);
    }

    /** @param array<string, mixed> $status what it tells of itself besides its figures */
    private function startPool(string $play, array $status = []): void
    {
        $command = ['python3', __DIR__ . '/fixtures/pool.py', $this->socket(), $play];
        $this->pool = new Process($command, null, ['STATUS' => (string) json_encode((object) $status)]);
        $this->pool->start();
        for ($end = hrtime(true) + 60e9; !file_exists($this->socket()); usleep(2_000)) {
            self::assertLessThan($end, hrtime(true), 'The pool did not come up.');
        }
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
}
