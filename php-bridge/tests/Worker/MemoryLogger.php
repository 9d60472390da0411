<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Worker;

use Psr\Log\AbstractLogger;

final class MemoryLogger extends AbstractLogger
{
    /** @var list<array{level: string, message: string, context: array<string, mixed>}> */
    public array $records = [];

    /** @param array<string, mixed> $context */
    public function log($level, $message, array $context = []): void
    {
        $this->records[] = ['level' => $level, 'message' => (string) $message, 'context' => $context];
    }

    /** @return list<array{level: string, message: string, context: array<string, mixed>}> */
    public function at(string $level): array
    {
        return array_values(array_filter($this->records, static fn (array $record) => $record['level'] === $level));
    }
}
