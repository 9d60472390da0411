<?php

declare(strict_types=1);

namespace AgentWorkers\Fleet;

/**
 * The id of an event in a run's stream: its attempt and its number.
 *
 * @internal
 */
final class EntryId
{
    private const PATTERN = '/^(?:(\d{1,9})-)?(\d{1,15})$/D';

    public function __construct(public readonly int $attempt = 0, public readonly int $seq = 0)
    {
    }

    /** Reads `<attempt>-<seq>`, or `<seq>` of the first attempt, as it stands in the frames of a stream. */
    public static function of(string $text): self
    {
        if (preg_match(self::PATTERN, $text, $found) !== 1) {
            return new self();
        }

        return new self($found[1] === '' ? 1 : (int) $found[1], (int) $found[2]);
    }

    /** As it stands in the frames of a stream, after the run's id. */
    public function inFrame(): string
    {
        return $this->attempt > 1 ? (string) $this : (string) $this->seq;
    }

    public function __toString(): string
    {
        return "$this->attempt-$this->seq";
    }
}
