<?php

declare(strict_types=1);

namespace AgentWorkers\Sse;

/** The response of the PHP process itself. */
final class PhpOutput implements Output
{
    /** There, an output buffer belongs to a test or to Octane. */
    private const NO_WEB = ['cli', 'phpdbg', 'embed'];

    public function open(): void
    {
        ignore_user_abort(true); // else PHP ends on a disconnect without running a single `finally`
        if (function_exists('set_time_limit')) {
            set_time_limit(0);
        }
        if (session_status() === PHP_SESSION_ACTIVE) {
            session_write_close(); // else every other request of this visitor waits for the end of the stream
        }
        if (!in_array(PHP_SAPI, self::NO_WEB, true)) {
            self::closeBuffers();
        }
    }

    public function write(string $bytes): void
    {
        echo $bytes;
        flush();
    }

    public function isGone(): bool
    {
        return connection_aborted() === 1;
    }

    private static function closeBuffers(): void
    {
        @ini_set('zlib.output_compression', '0');
        if (function_exists('apache_setenv')) {
            @apache_setenv('no-gzip', '1');
        }
        while (ob_get_level() > 0 && @ob_end_clean()) {
            // What was printed before the stream is no part of it.
        }
    }
}
