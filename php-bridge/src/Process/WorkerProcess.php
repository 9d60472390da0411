<?php

declare(strict_types=1);

namespace AgentWorkers\Process;

use Symfony\Component\Process\Process;

/**
 * A process that passes its output to a closure only, and calls another one every 0.2 s while it is pumped.
 *
 * Symfony's own iterator would need its buffers, which go to disk beyond 1 MiB; its waitUntil() waits for grandchildren
 * that hold the pipes.
 *
 * @internal
 */
final class WorkerProcess extends Process
{
    private const TICK_NS = 200_000_000;
    private const SPIN_NS = 500_000;
    private const SPIN_PAUSE_US = 1_000;
    private const SIGTERM = 15;
    private const BETWEEN_SIGNALS_US = 200_000;

    private ?\Closure $tick = null;
    private int $ticked = 0;
    private int $received = 0;

    /**
     * @param list<string> $command
     * @param bool $drains whether it ends at once only at a second SIGTERM
     */
    public function __construct(
        array $command,
        ?string $cwd,
        private readonly float $grace,
        private readonly bool $drains = false,
    ) {
        // Symfony's timeout kills without grace; a run's deadline is kept by its tick.
        parent::__construct($command, $cwd, null, null, null);
        $this->disableOutput();
    }

    public function __destruct()
    {
        if ($this->drains && $this->isRunning()) {
            $this->signal(self::SIGTERM);
            usleep(self::BETWEEN_SIGNALS_US);
        }
        $this->stop($this->grace); // Symfony's own destructor gives none
        parent::__destruct();
    }

    /**
     * @param \Closure(string, string): void $output takes Process::OUT or Process::ERR, and bytes
     * @param \Closure(): void $tick
     * @param array<string, string|false> $env
     */
    public function launch(\Closure $output, \Closure $tick, array $env): void
    {
        $this->tick = $tick;
        $this->start(function (string $type, string $bytes) use ($output): void {
            $this->received += strlen($bytes);
            $output($type, $bytes);
        }, $env);
    }

    public function isTickDue(): bool
    {
        return hrtime(true) - $this->ticked >= self::TICK_NS;
    }

    /** Writes and reads what it can without waiting. */
    public function push(): void
    {
        $this->updateStatus(false);
    }

    /** Writes and reads what it can, and waits at most 0.2 s for that. */
    public function pump(): void
    {
        $received = $this->received;
        $began = hrtime(true);
        $this->checkTimeout();
        $this->updateStatus(true);
        if ($received === $this->received && hrtime(true) - $began < self::SPIN_NS) {
            usleep(self::SPIN_PAUSE_US); // select() does not wait on a pipe that the child has closed
        }
    }

    public function checkTimeout(): void
    {
        parent::checkTimeout();
        if ($this->tick !== null && $this->isTickDue()) {
            $this->ticked = hrtime(true);
            ($this->tick)();
        }
    }

    /** Symfony writes to stdin before it reads: where an error handler throws, a broken pipe would cost the output. */
    protected function updateStatus(bool $blocking): void
    {
        $handler = static function (int $type, string $message, mixed ...$more) use (&$previous): bool {
            if (str_contains($message, 'errno=32')) {
                return true;
            }

            return $previous !== null && $previous($type, $message, ...$more) !== false;
        };
        $previous = set_error_handler($handler);
        try {
            parent::updateStatus($blocking);
        } finally {
            restore_error_handler();
        }
    }
}
