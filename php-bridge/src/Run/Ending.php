<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

use AgentWorkers\Process\ExitStatus;

/**
 * Bodies of the terminal events that this side writes if the worker wrote none.
 *
 * @internal
 */
final class Ending
{
    /** @return array<string, mixed> */
    public static function lost(ExitStatus $exit): array
    {
        return match (true) {
            $exit->isMissing() => self::error('cli_missing', 'The agent worker is not installed on this server.'),
            !$exit->isStarted => self::error('internal', 'The agent worker could not be started.'),
            default => self::error('worker_lost', 'The agent worker ended unexpectedly. Try again.', true),
        };
    }

    /** @return array<string, mixed> */
    public static function cutShort(): array
    {
        return self::error('worker_lost', 'The run ended without a result. Try again.', true);
    }

    /** @return array<string, mixed> */
    public static function timeout(): array
    {
        return self::error('timeout', 'The run took longer than its time limit.');
    }

    /** @return array<string, mixed> */
    public static function unsupportedVersion(): array
    {
        return self::error(
            'unsupported_version',
            'The application cannot read what this version of the agent worker writes.',
        );
    }

    /** @return array<string, mixed> */
    public static function internal(): array
    {
        return self::error('internal', 'The application failed while the answer was being sent.');
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
