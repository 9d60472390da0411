<?php

declare(strict_types=1);

namespace AgentWorkers\Process;

/**
 * The last bytes of a stream of any length.
 *
 * @internal
 */
final class Tail
{
    private string $bytes = '';

    /** @param positive-int $limit */
    public function __construct(private readonly int $limit = 64 * 1024)
    {
    }

    public function append(string $bytes): void
    {
        $this->bytes = substr($this->bytes . substr($bytes, -$this->limit), -$this->limit);
    }

    public function __toString(): string
    {
        return $this->bytes;
    }
}
