<?php

declare(strict_types=1);

namespace AgentWorkers\Process;

/**
 * A worker as a run uses it: bytes in and out, no events.
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

    /** Sends a control message. Returns false if no worker runs that could read it. */
    public function send(string $line): bool;

    /** Asks the worker to end, and returns at once. chunks() goes on to yield what it writes until then. */
    public function terminate(): void;

    /** Like terminate(), for a worker that has not ended by itself after its grace. */
    public function terminateAfterGrace(): void;

    /** Waits until the worker ends by itself, at most for its grace, and drops what it still writes. */
    public function finish(): void;

    /** Ends the worker and drops what it still writes. */
    public function stop(): void;

    public function exitStatus(): ExitStatus;

    /** The end of what it wrote to stderr. */
    public function stderr(): string;
}
