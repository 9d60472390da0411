<?php

declare(strict_types=1);

namespace AgentWorkers\Fleet;

/** What came of telling a run something. */
enum Told: string
{
    /** It will be read; an `ack` among the run's events says what came of it. */
    case Sent = 'sent';
    /** The run had not begun, and was ended by it. */
    case Ended = 'ended';
    /** The run has ended. */
    case Over = 'over';
    /** There is no such run, or it has ended too long ago. */
    case Unknown = 'unknown';

    /** Whether it reached the run. */
    public function isTaken(): bool
    {
        return $this === self::Sent || $this === self::Ended;
    }
}
