<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Stream;

use AgentWorkers\Sse\Output;

/**
 * For runs that go on when nobody reads.
 *
 * @internal
 */
final class UnheededOutput implements Output
{
    public function __construct(private readonly Output $output)
    {
    }

    public function open(): void
    {
        $this->output->open();
    }

    public function write(string $bytes): void
    {
        if (!$this->output->isGone()) {
            $this->output->write($bytes);
        }
    }

    public function isGone(): bool
    {
        return false;
    }
}
