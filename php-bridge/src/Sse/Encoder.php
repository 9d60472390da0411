<?php

declare(strict_types=1);

namespace AgentWorkers\Sse;

use AgentWorkers\Event\Event;

/** Writes a stream of events in the form that a client reads. Each method returns the bytes of whole frames. */
interface Encoder
{
    /** Returns what is sent first, before the worker has written anything. */
    public function opening(): string;

    public function event(Event $event): string;

    /**
     * Returns what is sent after a silence: it keeps proxies from closing the connection, and shows if the client has
     * gone.
     */
    public function heartbeat(): string;

    /** Returns what is sent after the terminal event. */
    public function closing(): string;
}
