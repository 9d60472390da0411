<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

use AgentWorkers\Run;

/**
 * Makes Ctrl-C stop the run instead of this process. That needs pcntl; without it, the process ends, and the worker
 * with it.
 *
 * @internal
 */
final class Interruption
{
    /**
     * @template T
     *
     * @param \Closure(): T $follow
     *
     * @return T
     */
    public static function aborts(Run $run, \Closure $follow): mixed
    {
        if (!function_exists('pcntl_async_signals')) {
            return $follow();
        }
        $before = pcntl_async_signals(true);
        foreach ([SIGINT, SIGTERM] as $signal) {
            $handlers[$signal] = pcntl_signal_get_handler($signal);
            // Not by a signal: the terminal sends its own to the worker, too, which kills at the second one.
            pcntl_signal($signal, static fn () => $run->abort());
        }
        try {
            return $follow();
        } finally {
            foreach ($handlers as $signal => $handler) {
                pcntl_signal($signal, $handler);
            }
            pcntl_async_signals($before);
        }
    }
}
