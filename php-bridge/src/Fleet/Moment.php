<?php

declare(strict_types=1);

namespace AgentWorkers\Fleet;

/**
 * A time as the fleet keeps it: milliseconds since the epoch.
 *
 * @internal
 */
final class Moment
{
    public static function of(int $ms): \DateTimeImmutable
    {
        $text = sprintf('%d.%03d000', intdiv($ms, 1000), $ms % 1000);

        return \DateTimeImmutable::createFromFormat('U.u', $text) ?: throw new \LogicException("$ms is no time");
    }
}
