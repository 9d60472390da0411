<?php

declare(strict_types=1);

namespace AgentWorkers\Process;

use AgentWorkers\Exception\InvalidArgumentException;

/**
 * A connection to the socket of a pool. It never waits longer than it is told, whatever the other end does.
 *
 * @internal
 */
final class PoolConnection
{
    /** Longer paths are cut by PHP, and what is left may be another socket. */
    private const LONGEST_PATH = 107;
    private const PATIENCE_S = 0.05;
    private const BETWEEN_TRIES_US = 5_000;
    private const EAGAIN = 11;
    private const PIECE = 256 * 1024;
    /** Pieces that are written before it reads again. */
    private const PIECES = 4;
    private const READ = 64 * 1024;
    private const PAUSE_US = 1_000;
    /** What PHP says of ends that the caller is told by what it gets. */
    private const EXPECTED = '/errno=\d+|Unable to connect|unable to select|FD_SETSIZE/i';

    /** @var list<string> */
    private array $unwritten = [];
    private int $written = 0;
    private bool $isRead = true;

    /** @param resource|null $socket */
    private function __construct(private $socket)
    {
        stream_set_blocking($socket, false);
        stream_set_read_buffer($socket, 0);
    }

    /** @throws InvalidArgumentException no socket can have this path */
    public static function checked(string $path): string
    {
        $isPath = str_starts_with($path, '/') && !str_contains($path, "\0") && strlen($path) <= self::LONGEST_PATH;

        return $isPath ? $path : throw new InvalidArgumentException(sprintf(
            'The path of the pool\'s socket must be absolute and have at most %d bytes, such as '
                . '/run/agent-workers/pool.sock; "%s" does not.',
            self::LONGEST_PATH,
            $path,
        ));
    }

    /**
     * Connects to a pool, or returns null where none takes the connection within 50 ms.
     *
     * @param string|null $why gets what was wrong, for operators
     */
    public static function open(string $path, ?string &$why = null): ?self
    {
        for ($end = hrtime(true) + self::PATIENCE_S * 1e9;; usleep(self::BETWEEN_TRIES_US)) {
            // It never waits here, not even with a timeout: where the queue of the socket is full, it fails at once.
            $socket = self::quietly(static function () use ($path, &$code, &$why) {
                return stream_socket_client("unix://$path", $code, $why, self::PATIENCE_S);
            });
            if (is_resource($socket)) {
                return new self($socket);
            }
            if ($code !== self::EAGAIN || hrtime(true) >= $end) {
                return null;
            }
        }
    }

    public function __destruct()
    {
        $this->close();
    }

    public function isOpen(): bool
    {
        return $this->socket !== null;
    }

    /** Whether the other end may still read what is written. */
    public function isRead(): bool
    {
        return $this->isOpen() && $this->isRead;
    }

    /** Writes at once what it can of that, and the rest in exchange(). */
    public function write(#[\SensitiveParameter] string ...$pieces): void
    {
        if ($this->isRead()) {
            array_push($this->unwritten, ...array_values($pieces));
            $this->push();
        }
    }

    /**
     * Writes what it can and reads once, and waits at most that long to do either. At the end of the stream it closes.
     */
    public function exchange(float $seconds): string
    {
        if ($this->socket === null) {
            return '';
        }
        [$reads, $writes, $excepts] = [[$this->socket], $this->unwritten === [] ? [] : [$this->socket], null];
        $found = self::quietly(static function () use (&$reads, &$writes, &$excepts, $seconds) {
            return stream_select($reads, $writes, $excepts, 0, (int) max(0, $seconds * 1e6));
        });
        if ($found === false) {
            usleep(self::PAUSE_US); // a signal came, or there are more descriptors than select() takes
        }
        $this->push();

        return $found === false || $reads !== [] ? $this->read() : '';
    }

    public function close(): void
    {
        if ($this->socket === null) {
            return;
        }
        [$socket, $this->socket, $this->unwritten] = [$this->socket, null, []];
        // The descriptor is inherited by each program that PHP starts: only this ends the connection in any case.
        self::quietly(static fn () => stream_socket_shutdown($socket, STREAM_SHUT_RDWR));
        self::quietly(static fn () => fclose($socket));
    }

    private function push(): void
    {
        for ($pieces = 0; $this->unwritten !== [] && $pieces < self::PIECES; $pieces++) {
            $piece = substr($this->unwritten[0], $this->written, self::PIECE);
            $taken = self::quietly(fn () => fwrite($this->socket, $piece));
            if ($taken === false) {
                [$this->isRead, $this->unwritten] = [false, []]; // what it has said before can still be read

                return;
            }
            $this->written += $taken;
            if ($this->written === strlen($this->unwritten[0])) {
                array_shift($this->unwritten);
                $this->written = 0;
            } elseif ($taken < strlen($piece)) {
                return;
            }
        }
    }

    private function read(): string
    {
        $bytes = self::quietly(fn () => fread($this->socket, self::READ));
        // Not feof(): that may wait.
        if (($bytes === '' || $bytes === false) && stream_get_meta_data($this->socket)['eof']) {
            $this->close();
        }

        return (string) $bytes;
    }

    /**
     * @template T
     *
     * @param \Closure(): T $does
     *
     * @return T
     */
    private static function quietly(\Closure $does): mixed
    {
        $previous = set_error_handler(static function (int $type, string $text, mixed ...$more) use (&$previous): bool {
            return preg_match(self::EXPECTED, $text) === 1
                || ($previous !== null && $previous($type, $text, ...$more) !== false);
        });
        try {
            return $does();
        } finally {
            restore_error_handler();
        }
    }
}
