<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Sse;

use AgentWorkers\Sse\Output;

/** A client that reads everything, and may go after a number of writes. */
final class MemoryOutput implements Output
{
    public bool $isOpen = false;
    /** @var list<string> */
    public array $writes = [];

    public function __construct(private readonly int $patience = PHP_INT_MAX)
    {
    }

    public function open(): void
    {
        $this->isOpen = true;
    }

    public function write(string $bytes): void
    {
        $this->writes[] = $bytes;
    }

    public function isGone(): bool
    {
        return count($this->writes) >= $this->patience;
    }

    public function bytes(): string
    {
        return implode('', $this->writes);
    }
}
