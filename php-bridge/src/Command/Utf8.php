<?php

declare(strict_types=1);

namespace AgentWorkers\Command;

/**
 * Measures and cuts UTF-8 without mbstring, which this package does not require.
 *
 * @internal
 */
final class Utf8
{
    public static function length(string $text): int
    {
        return strlen($text) - (int) preg_match_all('/[\x80-\xBF]/', $text);
    }

    /** Returns at most so many bytes from the beginning, with no part of a character at the end. */
    public static function cut(string $text, int $bytes): string
    {
        if (strlen($text) <= $bytes) {
            return $text;
        }
        $end = $bytes;
        while ($end > 0 && $end > $bytes - 3 && (ord($text[$end]) & 0xC0) === 0x80) {
            $end--;
        }

        return substr($text, 0, (ord($text[$end]) & 0xC0) === 0x80 ? $bytes : $end);
    }
}
