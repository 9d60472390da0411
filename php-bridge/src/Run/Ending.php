<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Process\ExitStatus;

/**
 * Bodies of the terminal events that this side writes if the worker wrote none.
 *
 * @internal
 */
final class Ending
{
    private const MISSING = 'The agent worker is not installed on this server.';
    private const NOT_STARTED = 'The agent worker could not be started.';
    private const NO_POOL = 'The agents of this server cannot be reached. Try again.';
    private const LOST = 'The agent worker ended unexpectedly. Try again.';
    private const OUT_OF_SIGHT = 'The run cannot be followed any more. It may go on without you: look at it later.';
    private const CUT_SHORT = 'The run ended without a result. Try again.';
    private const TIMEOUT = 'The run took longer than its time limit, and was stopped.';
    private const UNREADABLE = 'The application cannot read what this version of the agent worker writes.';
    private const INTERNAL = 'The application failed while the answer was being sent.';
    private const ALL = [
        self::MISSING, self::NOT_STARTED, self::NO_POOL, self::LOST, self::OUT_OF_SIGHT, self::CUT_SHORT, self::TIMEOUT,
        self::UNREADABLE, self::INTERNAL,
    ];

    /** Whether an error is one of these, by its words: no worker uses the same. */
    public static function wrote(ErrorEvent $event): bool
    {
        return in_array($event->message, self::ALL, true);
    }

    /** Whether an error says that the run may go on, though this side has lost sight of it. */
    public static function isOutOfSight(ErrorEvent $event): bool
    {
        return $event->message === self::OUT_OF_SIGHT;
    }

    /** @return array<string, mixed> */
    public static function lost(ExitStatus $exit): array
    {
        return match (true) {
            $exit->isMissing() => self::error('cli_missing', self::MISSING),
            $exit->isUnreachable => self::error('worker_lost', self::NO_POOL, true),
            $exit->isOutOfSight => self::error('worker_lost', self::OUT_OF_SIGHT),
            !$exit->isStarted => self::error('internal', self::NOT_STARTED),
            default => self::error('worker_lost', self::LOST, true),
        };
    }

    /** @return array<string, mixed> */
    public static function cutShort(): array
    {
        return self::error('worker_lost', self::CUT_SHORT, true);
    }

    /** @return array<string, mixed> */
    public static function timeout(): array
    {
        return self::error('timeout', self::TIMEOUT);
    }

    /** @return array<string, mixed> */
    public static function unsupportedVersion(): array
    {
        return self::error('unsupported_version', self::UNREADABLE);
    }

    /** @return array<string, mixed> */
    public static function internal(): array
    {
        return self::error('internal', self::INTERNAL);
    }

    /** @return array<string, mixed> */
    public static function stopped(): array
    {
        return ['reason' => 'client'];
    }

    /** @return array<string, mixed> */
    private static function error(string $code, string $message, bool $retryable = false): array
    {
        return ['code' => $code, 'message' => $message, 'retryable' => $retryable];
    }
}
