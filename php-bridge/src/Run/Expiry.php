<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

/**
 * Tells whether the worker still waits for an answer. It runs on this machine, by the same clock.
 *
 * @internal
 */
final class Expiry
{
    /** A time that cannot be read counts as not over: the worker decides. */
    public static function isOver(string $expiresAt): bool
    {
        $time = \DateTimeImmutable::createFromFormat('Y-m-d\TH:i:s.vP', $expiresAt)
            ?: \DateTimeImmutable::createFromFormat(\DATE_RFC3339, $expiresAt);

        return $time !== false && $time < new \DateTimeImmutable();
    }
}
