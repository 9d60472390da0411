<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Broadcast;

use AgentWorkers\Event\Event;
use AgentWorkers\Event\Start;
use AgentWorkers\Fleet\EntryId;

/**
 * Makes frames of a run's events that a broadcaster takes: pieces of one text are joined, what is too long is cut into
 * several, and the order is the run's.
 *
 * @internal
 */
final class Frames
{
    /** Pusher and its kin take 10 KB, in which the broadcaster writes something of its own. */
    private const MOST_BYTES = 9_500;
    private const PAUSE_S = 0.15;
    /** By what pieces belong to one text. */
    private const JOINED = ['delta' => 'block', 'thinking' => 'block', 'tool_output' => 'tool_use_id'];
    private const KEPT = [
        'v' => 0, 'seq' => 0, 'run' => 0, 'ts' => 0, 'type' => 0, 'id' => 0, 'code' => 0, 'retryable' => 0,
        'omitted' => 0,
    ];

    /** @var array<string, mixed>|null what waits to be joined */
    private ?array $waiting = null;
    private float $sent = 0.0;
    private int $seq = 0;

    /**
     * @param \Closure(array<string, mixed>): void $send
     * @param int $attempt of the run that the first event is of
     */
    public function __construct(private readonly \Closure $send, private int $attempt = 1)
    {
    }

    public function add(Event $event): void
    {
        if ($event instanceof Start) {
            $this->attempt = $event->attempt();
        }
        $this->seq = $event->seq;
        $place = (new EntryId($this->attempt, $event->seq))->inFrame();
        $frame = ['id' => "$event->run:$place"] + (array) $event->jsonSerialize();
        $isText = isset(self::JOINED[$event->type]) && is_string($frame['text'] ?? null);
        if ($isText && $this->waiting !== null && self::belongTogether($this->waiting, $frame)) {
            $this->waiting = ['text' => $this->waiting['text'] . $frame['text']] + $frame + $this->waiting;
        } elseif ($isText) {
            $this->flush();
            $this->waiting = $frame + ['first_seq' => $event->seq];
        } else {
            $this->flush();
            $this->send(self::shortened($frame));
        }
        $this->tick();
    }

    /** Id of the last event, `<attempt>-<seq>`. */
    public function place(): string
    {
        return (string) new EntryId($this->attempt, $this->seq);
    }

    /** To be called often: sends what has waited long enough for more. */
    public function tick(): void
    {
        $isDue = self::now() - $this->sent >= self::PAUSE_S || strlen($this->waiting['text'] ?? '') > self::MOST_BYTES;
        $isDue && $this->flush();
    }

    public function flush(): void
    {
        [$frame, $this->waiting] = [$this->waiting, null];
        $pieces = $frame === null ? [] : self::pieces($frame);
        foreach ($pieces as $number => $text) {
            $part = count($pieces) === 1 ? [] : ['part' => $number + 1, 'parts' => count($pieces)];
            $this->send(['text' => $text] + $frame + $part);
        }
    }

    /** @param array<string, mixed> $frame */
    private function send(array $frame): void
    {
        $this->sent = self::now();
        ($this->send)($frame);
    }

    /**
     * @param array<string, mixed> $one
     * @param array<string, mixed> $other
     */
    private static function belongTogether(array $one, array $other): bool
    {
        $field = self::JOINED[$one['type']];

        return $one['type'] === $other['type'] && ($one[$field] ?? null) === ($other[$field] ?? null)
            && ($one['parent_tool_use_id'] ?? null) === ($other['parent_tool_use_id'] ?? null);
    }

    /**
     * @param array<string, mixed> $frame
     *
     * @return list<string> its text, in pieces that fit
     */
    private static function pieces(array $frame): array
    {
        $room = self::MOST_BYTES - self::bytes(['text' => ''] + $frame) - 40;
        $pieces = [];
        for ($rest = $frame['text']; $rest !== ''; $rest = substr($rest, strlen($piece))) {
            $piece = mb_strcut($rest, 0, $room);
            while (self::bytes($piece) > $room) { // as JSON it takes up to six times as much
                $piece = mb_strcut($piece, 0, intdiv(strlen($piece), 2) + 1);
            }
            $pieces[] = $piece;
        }

        return $pieces;
    }

    /**
     * Leaves out the longest fields, and says which.
     *
     * @param array<string, mixed> $frame
     *
     * @return array<string, mixed>
     */
    private static function shortened(array $frame): array
    {
        while (self::bytes($frame) > self::MOST_BYTES) {
            $sizes = array_map(self::bytes(...), array_diff_key($frame, self::KEPT));
            if ($sizes === []) {
                break;
            }
            $longest = (string) array_search(max($sizes), $sizes, true);
            $frame = ['omitted' => [...$frame['omitted'] ?? [], $longest]] + array_diff_key($frame, [$longest => true]);
        }

        return $frame;
    }

    private static function bytes(mixed $value): int
    {
        return strlen((string) json_encode($value, JSON_INVALID_UTF8_SUBSTITUTE)); // as broadcasters write it
    }

    private static function now(): float
    {
        return hrtime(true) / 1e9;
    }
}
