<?php

declare(strict_types=1);

namespace AgentWorkers\Fleet;

use AgentWorkers\Event\Event;
use AgentWorkers\Exception\FleetException;

/**
 * Reads the stream of one run, from an entry on. Redis wakes it for each new one.
 *
 * @internal
 */
final class Feed
{
    private const AT_ONCE = 500;
    /** Seconds of silence after which it looks whether the run is still there. */
    private const SILENCE_S = 2.0;

    private string $after;
    private float $looked = -INF;
    private bool $isOver = false;
    private bool $isGone = false;

    public function __construct(
        private readonly Connection $redis,
        private readonly string $run,
        EntryId $after = new EntryId(),
    ) {
        $this->after = (string) $after;
    }

    /**
     * Waits for entries.
     *
     * @param (\Closure(): bool)|null $goesOn called while Redis is away; false gives up
     *
     * @return array<string, string> lines of events, without their newlines, by the ids of their entries
     *
     * @throws FleetException Redis was away for too long
     */
    public function next(int $blockMs, ?\Closure $goesOn = null): array
    {
        $lines = $this->read($blockMs, $goesOn);
        if ($lines !== [] || self::now() - $this->looked < self::SILENCE_S) {
            return $lines;
        }
        $this->looked = self::now();
        $job = $this->redis->ofRun($this->run, 'job');
        $state = $this->redis->ask(static fn (\Redis $redis): mixed => $redis->hGet($job, 'state'), $goesOn);
        if ($state === false || in_array($state, Event::TERMINAL, true)) {
            $lines = $this->read(0, $goesOn); // it may have been written meanwhile
            $this->isOver = $lines === [];
            $this->isGone = $this->isOver && $state === false;
        }

        return $lines;
    }

    /** Whether nothing more will come: the reader has the run's last event, or there is no such run. */
    public function isOver(): bool
    {
        return $this->isOver;
    }

    /** Whether there is no such run, any more. */
    public function isGone(): bool
    {
        return $this->isGone;
    }

    /**
     * @param (\Closure(): bool)|null $goesOn
     *
     * @return array<string, string>
     */
    private function read(int $blockMs, ?\Closure $goesOn): array
    {
        $key = $this->redis->ofRun($this->run);
        do {
            $found = $this->redis->ask(
                // A block of 0 would wait for ever.
                fn (\Redis $redis): mixed => $blockMs > 0
                    ? $redis->xRead([$key => $this->after], self::AT_ONCE, $blockMs)
                    : $redis->xRead([$key => $this->after], self::AT_ONCE),
                $goesOn,
            );
            $entries = is_array($found) ? $found[$key] ?? [] : [];
            $this->after = (string) (array_key_last($entries) ?? $this->after);
            // Where an attempt begins, an entry has no event.
            $lines = array_map(static fn (array $fields): ?string => $fields['event'] ?? null, $entries);
            $lines = array_filter($lines, is_string(...));
        } while ($entries !== [] && $lines === []);

        return $lines;
    }

    private static function now(): float
    {
        return hrtime(true) / 1e9;
    }
}
