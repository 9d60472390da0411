<?php

declare(strict_types=1);

namespace AgentWorkers\Process;

/**
 * A worker that goes on when nobody reads what it writes, and that others may read and talk to at the same time.
 *
 * @internal
 */
interface Lasting extends Transport
{
    /** Stops reading: chunks() ends soon. The worker goes on, unless it was to end with its reader. */
    public function leave(): void;

    /**
     * Tells whether an application's tool is to be run here: of all who read, one runs it.
     *
     * @param string $call what the call is known by
     */
    public function claims(string $call, string $expiresAt): bool;
}
