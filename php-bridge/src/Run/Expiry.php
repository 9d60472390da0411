<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

/**
 * The time until which the worker waits for an answer. It runs on this machine, by the same clock.
 *
 * @internal
 */
final class Expiry
{
    /** What is no time is not over: the worker tells when it is. */
    public static function isOver(string $expiresAt): bool
    {
        $time = \DateTimeImmutable::createFromFormat('Y-m-d\TH:i:s.vP', $expiresAt)
            ?: \DateTimeImmutable::createFromFormat(\DATE_RFC3339, $expiresAt);

        return $time !== false && $time < new \DateTimeImmutable();
    }
}
