<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Stream;

use AgentWorkers\Event\Event;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Fleet\EntryId;
use AgentWorkers\Laravel\Words;
use AgentWorkers\Run\Ending;

/**
 * Reads the events of a run that another process records: first those that the browser does not have, then new ones as
 * they come.
 *
 * @internal
 */
final class Replay
{
    private const POLL_US = 50_000;

    private int $page;
    private int $attempt;
    private int $seq;

    public function __construct(
        private readonly Store $store,
        private readonly string $owner,
        private readonly string $run,
        EntryId $after,
        private readonly float $heartbeat,
    ) {
        $head = $this->head();
        $this->page = $head['first'] ?? 0;
        $this->attempt = $head['attempt'] ?? 1;
        // What a lost attempt has said does not count.
        $this->seq = $after->attempt === $this->attempt ? $after->seq : 0;
    }

    /** The attempt of the run that the next event is of. */
    public function attempt(): int
    {
        return $this->attempt;
    }

    public function isKnown(): bool
    {
        return $this->head() !== null;
    }

    /** Whether events that the browser does not have were dropped from the cache. */
    public function isTornOff(): bool
    {
        $head = $this->head();
        $oldest = $head === null ? null : $this->store->page($this->owner, $this->run, $head['first']);

        return $oldest !== null && EventFactory::fromJson($oldest[0])->seq > $this->seq + 1;
    }

    /** Whether the run has ended and the browser has all of it. */
    public function isOver(): bool
    {
        $head = $this->head();
        if ($head === null || !$head['ended']) {
            return false;
        }
        $last = $this->store->page($this->owner, $this->run, $head['next'] - 1);

        return $last !== null && EventFactory::fromJson($last[count($last) - 1])->seq <= $this->seq;
    }

    /** @return \Generator<int, Event> */
    public function events(): \Generator
    {
        $sent = microtime(true);
        while (($head = $this->head()) !== null) {
            if ($head['attempt'] > $this->attempt) {
                [$this->attempt, $this->seq, $this->page] = [$head['attempt'], 0, $head['first']];
            }
            foreach ($this->news($head['next']) as $event) {
                yield $event;
                $sent = microtime(true);
            }
            if ($head['ended']) {
                return;
            }
            if (Store::isLost($head)) {
                yield Words::ofOurs(
                    EventFactory::compose($this->run, $this->seq + 1, 'error', Ending::cutShort()),
                );

                return;
            }
            if (microtime(true) - $sent >= $this->heartbeat) {
                // Only a write shows that the browser has gone. It is no event of the run, and bears no new number.
                yield EventFactory::compose($this->run, $this->seq, 'ping', ['idle_ms' => 0]);
                $sent = microtime(true);
            }
            usleep(self::POLL_US);
        }
    }

    /** @return \Generator<int, Event> */
    private function news(int $next): \Generator
    {
        for (; $this->page < $next; $this->page++) {
            foreach ($this->store->page($this->owner, $this->run, $this->page) ?? [] as $json) {
                $event = EventFactory::fromJson($json);
                // The end may be the first event of an attempt that never began.
                if ($event->seq > $this->seq || $event->isTerminal()) {
                    $this->seq = $event->seq;
                    yield $event;
                }
            }
        }
    }

    /** @return array{first: int, next: int, ended: bool, beat: float, attempt: int}|null */
    private function head(): ?array
    {
        return $this->store->head($this->owner, $this->run);
    }
}
