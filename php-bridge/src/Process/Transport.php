<?php

declare(strict_types=1);

namespace AgentWorkers\Process;

/**
 * A worker, as a run sees it: bytes, not events.
 *
 * @internal
 */
interface Transport
{
    /**
     * Starts the worker and yields what it writes to stdout, until it has ended.
     *
     * @param string $request one line of JSON, without its newline
     * @param \Closure(): void $tick called every 0.2 s while it waits
     *
     * @return \Generator<int, string>
     */
    public function chunks(string $request, \Closure $tick): \Generator;

    /** Hands over a control message; false where the worker is not there to read it. */
    public function send(string $line): bool;

    /** Asks the worker to end, and returns at once; what it writes until then goes on to come from chunks(). */
    public function terminate(): void;

    /** Like terminate(), for a worker that has not ended by itself after its grace. */
    public function terminateAfterGrace(): void;

    /** Waits for the worker's own end, for the time of its grace, and forgets what it still writes. */
    public function finish(): void;

    /** Ends the worker and forgets what it still writes. */
    public function stop(): void;

    public function exitStatus(): ExitStatus;

    /** The end of what it wrote to stderr. */
    public function stderr(): string;
}
