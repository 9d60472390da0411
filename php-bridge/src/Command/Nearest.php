<?php

declare(strict_types=1);

namespace AgentWorkers\Command;

/**
 * Finds what somebody may have meant.
 *
 * @internal
 */
final class Nearest
{
    /** @param list<string> $known */
    public static function to(string $word, array $known): ?string
    {
        $best = null;
        $least = max(1, intdiv(min(strlen($word), 60), 3)) + 1;
        foreach ($known as $candidate) {
            $distance = levenshtein(strtolower(substr($word, 0, 255)), strtolower(substr($candidate, 0, 255)));
            if ($distance < $least) {
                [$best, $least] = [$candidate, $distance];
            }
        }

        return $best;
    }
}
