<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

/**
 * Makes of values what columns take.
 *
 * @internal
 */
final class Columns
{
    /** Characters of the longest id or name: what an index of MariaDB takes. */
    private const NAME = 191;
    public const TITLE = 255;
    private const MOST_MONEY = 999_999.99999999; // DECIMAL(14, 8)
    private const MS = 1000;

    /** Returns an id or a name, cut where it is too long; null where there is none. */
    public static function name(mixed $value): ?string
    {
        return is_string($value) && $value !== '' ? mb_substr(self::wellFormed($value), 0, self::NAME) : null;
    }

    public static function count(mixed $value): ?int
    {
        return is_int($value) && $value >= 0 ? $value : null;
    }

    /** @return string|null US dollars */
    public static function money(mixed $value): ?string
    {
        $isKnown = (is_int($value) || is_float($value)) && $value >= 0 && $value <= self::MOST_MONEY;

        return $isKnown ? number_format((float) $value, 8, '.', '') : null;
    }

    /** Returns a text without what is no text, and without NUL characters, which PostgreSQL refuses. */
    public static function wellFormed(string $text): string
    {
        return str_replace("\0", "\u{FFFD}", mb_scrub($text, 'UTF-8'));
    }

    /** Returns the first line of a question that says something; null where it has no text. */
    public static function title(mixed $question): ?string
    {
        if (is_array($question)) {
            $texts = array_map(static fn (mixed $block): mixed => ((array) $block)['text'] ?? null, $question);
            $question = implode("\n", array_filter($texts, is_string(...)));
        }
        $lines = is_string($question) ? preg_split('/\R|[\x1c-\x1e]/u', self::wellFormed($question)) : [];
        foreach ($lines ?: [] as $line) {
            $line = (string) preg_replace('/^\s+|\s+$/u', '', $line);
            if ($line !== '') {
                return $line;
            }
        }

        return null;
    }

    /** @return string|null the subject as `type:id`, or its text */
    public static function subjectKey(mixed $subject): ?string
    {
        $parts = (array) $subject;
        $isPair = is_string($parts['type'] ?? null) && is_string($parts['id'] ?? null);

        return match (true) {
            $isPair => mb_substr("{$parts['type']}:{$parts['id']}", 0, self::NAME),
            is_string($subject) => mb_substr($subject, 0, self::NAME),
            default => null,
        };
    }

    public static function msBetween(string $begin, string $end): int
    {
        $of = static fn (string $time): float => (float) (new \DateTimeImmutable($time))->format('U.v');

        return max(0, (int) round(($of($end) - $of($begin)) * self::MS));
    }
}
