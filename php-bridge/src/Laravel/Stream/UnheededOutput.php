<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Stream;

use AgentWorkers\Sse\Output;

/**
 * Hides that the client has gone, so that its run goes on. Not in the beginning: a client that has not read the run's
 * id could neither come back nor stop the run.
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
