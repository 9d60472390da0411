<?php

declare(strict_types=1);

namespace AgentWorkers\Fleet;

/** A process of the fleet that works. */
final class MachineStatus
{
    /**
     * @internal
     *
     * @param int $slots that take jobs; none while it stops
     * @param int $running runs that it has in hand
     */
    public function __construct(public readonly int $slots, public readonly int $running)
    {
    }
}
