<?php

declare(strict_types=1);

namespace AgentWorkers\Process;

/**
 * Has a pool run the worker: a connection to its socket carries the run, and no process is started here. The end of the
 * connection tells the pool that this process was killed.
 *
 * @internal
 */
final class PoolTransport implements Transport
{
    private const VERSION = 1;
    private const TICK_S = 0.2;
    private const SIGTERM = 15;

    private ?PoolConnection $connection = null;
    private readonly PoolAnswer $answer;
    private bool $isUnreachable = false;
    private ?string $why = null;
    private ?\Closure $tick = null;
    private float $tickAt = 0.0;
    private float $terminateAt = INF;
    private float $killAt = INF;
    private bool $killed = false;

    /**
     * @param array<string, mixed> $asked fields of the first line, by their names in the protocol
     * @param Credential|null $credential a key that the run uses alone
     */
    public function __construct(
        public readonly string $socket,
        private readonly array $asked,
        private readonly float $grace,
        private readonly ?Credential $credential = null,
    ) {
        $this->answer = new PoolAnswer();
    }

    /** Whether a pool takes the run. Nothing has been written to it yet. */
    public function connect(): bool
    {
        $this->connection ??= PoolConnection::open($this->socket, $this->why);
        $this->isUnreachable = $this->connection === null;

        return !$this->isUnreachable;
    }

    public function chunks(string $request, \Closure $tick): \Generator
    {
        if (!$this->connect()) {
            return;
        }
        $this->tick = $tick;
        $key = $this->credential?->key();
        $asked = $this->asked + ['control' => true] + ($key === null ? [] : ['credential' => $key]);
        $this->connection->write(self::line($asked), $request, "\n");
        while ($this->connection->isOpen()) {
            $bytes = $this->pump();
            if ($bytes !== '') {
                yield $bytes;
            }
        }
    }

    public function send(string $line): bool
    {
        if ($this->connection === null || !$this->connection->isRead()) {
            return false;
        }
        $this->connection->write("$line\n");

        return true;
    }

    public function terminate(): void
    {
        if ($this->killAt === INF && $this->connection?->isOpen()) {
            $this->killAt = self::now() + $this->grace;
            $this->connection->write(self::line(['signal' => self::SIGTERM]));
        }
    }

    public function terminateAfterGrace(): void
    {
        $this->terminateAt = min($this->terminateAt, self::now() + $this->grace);
    }

    public function finish(): void
    {
        $this->terminateAfterGrace();
        $this->awaitEnd();
    }

    public function stop(): void
    {
        $this->terminate();
        $this->awaitEnd();
    }

    public function exitStatus(): ExitStatus
    {
        if ($this->isUnreachable) {
            return ExitStatus::unreachable();
        }

        return new ExitStatus($this->answer->exit() ?? ($this->killed ? ExitStatus::KILLED : null));
    }

    /** What the worker writes to stderr is in the pool's log. */
    public function stderr(): string
    {
        return (string) $this->why;
    }

    private function pump(): string
    {
        if (self::now() >= $this->tickAt) {
            $this->tickAt = self::now() + self::TICK_S;
            $this->tick !== null && ($this->tick)();
        }
        $next = min($this->tickAt, $this->terminateAt, $this->killAt);
        $told = $this->answer->push($this->connection->exchange($next - self::now()));
        if (self::now() >= $this->terminateAt) {
            $this->terminateAt = INF;
            $this->terminate();
        }
        $this->killed = $this->connection->isOpen() && self::now() >= $this->killAt;
        if ($this->killed || $this->answer->exit() !== null) {
            $this->connection->close();
        }

        return $told;
    }

    private function awaitEnd(): void
    {
        $this->tick = null;
        while ($this->connection?->isOpen()) {
            $this->pump();
        }
    }

    /** @param array<string, mixed> $fields */
    private static function line(#[\SensitiveParameter] array $fields): string
    {
        $line = ['pool' => self::VERSION] + $fields;

        return json_encode($line, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES) . "\n";
    }

    private static function now(): float
    {
        return hrtime(true) / 1e9;
    }
}
