<?php

declare(strict_types=1);

namespace AgentWorkers\Fleet;

use AgentWorkers\Event\AppToolCall;
use AgentWorkers\Exception\FleetException;

/**
 * The calls of the application's tools, of all runs: who runs one is who takes it first.
 *
 * @internal
 */
final class ToolCalls
{
    /** How long a call stays taken after the model has been told that it failed. */
    private const MARGIN_S = 60.0;
    /** How long a reader counts as there that says nothing more. */
    private const READER_MS = 5_000;
    /** Calls that nobody has dealt with for so long are another process's. */
    private const ABANDONED_MS = 30_000;
    private const AT_ONCE = 10;

    private string $cursor = '0-0';

    public function __construct(private readonly Fleet $fleet, private readonly string $group = 'tools')
    {
    }

    /** Takes a call, unless somebody has it, or had it: who reads a run later reads its calls, too. */
    public function claim(string $run, int $attempt, string $call, string $expiresAt): bool
    {
        if (!$this->isOpen($run, $attempt, $call)) {
            return false;
        }
        $redis = $this->fleet->connection();
        $key = $this->key($run, $attempt, $call);
        $till = (float) (strtotime($expiresAt) ?: time());
        $ms = (int) ((max(0.0, $till - microtime(true)) + self::MARGIN_S) * 1000);
        $token = bin2hex(random_bytes(8)); // the answer to a first try may have been lost

        return $redis->ask(static fn (\Redis $redis): bool
            => $redis->set($key, $token, ['NX', 'PX' => $ms]) === true || $redis->get($key) === $token);
    }

    /** Whether the model waits for its result. */
    public function isOpen(string $run, int $attempt, string $call): bool
    {
        $job = $this->fleet->status($run);
        if ($job === null || !$job->isRunning() || $job->attempt !== $attempt) {
            return false;
        }
        $open = $this->fleet->openCalls($run, new EntryId($attempt, PHP_INT_MAX));

        return in_array($call, array_map(self::nameOf(...), $open), true);
    }

    public function isTaken(string $run, int $attempt, AppToolCall $call): bool
    {
        $key = $this->key($run, $attempt, self::nameOf($call));

        return $this->fleet->connection()->ask(static fn (\Redis $redis): bool => (bool) $redis->exists($key));
    }

    /** What a call is known by. */
    public static function nameOf(AppToolCall $call): string
    {
        return $call->toolUseId ?? $call->callId;
    }

    /** Says that somebody reads the run who runs its tools. To be said again every few seconds. */
    public function announceReader(string $run): void
    {
        $redis = $this->fleet->connection();
        $key = $redis->ofRun($run, 'reader');
        $redis->ask(static fn (\Redis $redis): mixed => $redis->set($key, '1', ['PX' => self::READER_MS]));
    }

    public function hasReader(string $run): bool
    {
        $redis = $this->fleet->connection();
        $key = $redis->ofRun($run, 'reader');

        return $redis->ask(static fn (\Redis $redis): bool => (bool) $redis->exists($key));
    }

    /** Makes the group, where there is none yet: it gets what is there, too. */
    public function open(): void
    {
        $key = $this->stream();
        $this->fleet->connection()->ask(function (\Redis $redis) use ($key): void {
            $redis->xGroup('CREATE', $key, $this->group, '0', true);
            if (str_starts_with((string) $redis->getLastError(), 'BUSYGROUP')) {
                $redis->clearLastError();
            }
        });
    }

    /**
     * Waits for calls that nobody of the group has.
     *
     * @return array<string, array<string, string>> entries by their ids
     *
     * @throws FleetException
     */
    public function next(string $consumer, int $blockMs): array
    {
        $key = $this->stream();
        $found = $this->fleet->connection()->ask(fn (\Redis $redis): mixed
            => $redis->xReadGroup($this->group, $consumer, [$key => '>'], 1, $blockMs));

        return is_array($found) ? $found[$key] ?? [] : [];
    }

    /**
     * Takes over calls that their process has not dealt with.
     *
     * @return array<string, array<string, string>> entries by their ids
     *
     * @throws FleetException
     */
    public function abandoned(string $consumer): array
    {
        $command = ['XAUTOCLAIM', $this->stream(), $this->group, $consumer, (string) self::ABANDONED_MS, $this->cursor];
        $found = $this->fleet->connection()->ask(static fn (\Redis $redis): mixed
            => $redis->rawCommand(...[...$command, 'COUNT', (string) self::AT_ONCE]));
        $this->cursor = is_string($found[0] ?? null) ? $found[0] : '0-0';
        $entries = [];
        foreach ($found[1] ?? [] as $entry) {
            if (is_array($entry) && is_array($entry[1] ?? null)) {
                $entries[$entry[0]] = array_column(array_chunk($entry[1], 2), 1, 0);
            }
        }

        return $entries;
    }

    public function done(string $entry): void
    {
        $key = $this->stream();
        $this->fleet->connection()->ask(fn (\Redis $redis): mixed => $redis->xAck($key, $this->group, [$entry]));
    }

    /** Takes a process out of the group that has dealt with all of its calls. */
    public function leave(string $consumer): void
    {
        $key = $this->stream();
        $this->fleet->connection()->ask(fn (\Redis $redis): mixed
            => $redis->xPending($key, $this->group, '-', '+', 1, $consumer) === []
                ? $redis->xGroup('DELCONSUMER', $key, $this->group, $consumer)
                : null);
    }

    private function key(string $run, int $attempt, string $call): string
    {
        return $this->fleet->connection()->ofRun($run, "call:$attempt:$call");
    }

    private function stream(): string
    {
        return $this->fleet->connection()->key('calls');
    }
}
