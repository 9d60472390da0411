<?php

declare(strict_types=1);

namespace AgentWorkers\Sse;

/** Where the bytes of a stream go: the response that PHP is sending, or a server's own. */
interface Output
{
    /** Called once, after the headers and before the first write. */
    public function open(): void;

    /** Sends at once, without buffering. */
    public function write(string $bytes): void;

    /** Whether the client has gone. May be known only after the next write. */
    public function isGone(): bool;
}
