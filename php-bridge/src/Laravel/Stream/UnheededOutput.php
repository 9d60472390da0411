<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Stream;

use AgentWorkers\Sse\Output;

/**
 * For runs that go on when nobody reads. A client that has gone before it could read which run it is can neither come
 * back to it nor stop it: that one is heeded.
 *
 * @internal
 */
final class UnheededOutput implements Output
{
    /** The opening, and what comes next: PHP learns only by writing that a client has gone. */
    private const HEEDED_WRITES = 2;

    private int $writes = 0;

    public function __construct(private readonly Output $output)
    {
    }

    public function open(): void
    {
        $this->output->open();
    }

    public function write(string $bytes): void
    {
        $this->writes++;
        if (!$this->output->isGone()) {
            $this->output->write($bytes);
        }
    }

    public function isGone(): bool
    {
        return $this->writes <= self::HEEDED_WRITES && $this->output->isGone();
    }
}
