<?php

declare(strict_types=1);

namespace AgentWorkers\Process;

use Symfony\Component\Process\Process;

/**
 * The worker's exit status. PHP and Symfony report a killed process as -1 or as 128 + signal; here it is always 128 +
 * signal.
 *
 * @internal
 */
final class ExitStatus
{
    private const NOT_EXECUTABLE = 126;
    private const NOT_FOUND = 127;
    public const KILLED = 137;

    /** @param int|null $code null where it is unknown */
    public function __construct(
        public readonly ?int $code,
        public readonly bool $isStarted = true,
        public readonly bool $isUnreachable = false,
        public readonly bool $isOutOfSight = false,
    ) {
    }

    public static function of(Process $process, bool $killed): self
    {
        $code = $process->getExitCode();
        if ($code !== null && $code >= 0) {
            return new self($code);
        }
        if ($process->isTerminated() && $process->hasBeenSignaled() && $process->getTermSignal() > 0) {
            return new self(128 + $process->getTermSignal());
        }

        return new self($killed ? self::KILLED : null);
    }

    public static function notStarted(string $binary): self
    {
        return new self(@is_executable($binary) ? null : self::NOT_FOUND, false);
    }

    /** Nothing ran: no pool took the run, and there is nothing else to run it. */
    public static function unreachable(): self
    {
        return new self(null, false, true);
    }

    /** The run may go on, but cannot be followed from here any more. */
    public static function outOfSight(): self
    {
        return new self(null, isOutOfSight: true);
    }

    /** Nothing ran: the command does not exist or cannot be executed. */
    public function isMissing(): bool
    {
        return in_array($this->code, [self::NOT_FOUND, self::NOT_EXECUTABLE], true);
    }
}
