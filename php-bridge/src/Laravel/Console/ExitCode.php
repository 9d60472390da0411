<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

use AgentWorkers\Event\Done;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Event\Event;
use AgentWorkers\Run;

/**
 * The exit statuses of the contract: a worker's own, or the one that it would have where no worker ran.
 *
 * @internal
 */
final class ExitCode
{
    /** The request was refused; nothing ran. */
    public const REFUSED = 2;
    private const ERROR = 1;
    private const ABORTED = 3;
    private const RETRYABLE = 75;

    public static function of(Run $run, ?Event $last): int
    {
        return $run->exitCode() ?? match (true) {
            $last instanceof Done => 0,
            $last instanceof ErrorEvent => $last->retryable ? self::RETRYABLE : self::ERROR,
            default => self::ABORTED,
        };
    }
}
