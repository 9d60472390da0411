<?php

declare(strict_types=1);

namespace AgentWorkers\Sse;

use AgentWorkers\Event\Event;

/** A form of output: what a stream of events looks like to the client. Each method returns bytes, of whole frames. */
interface Encoder
{
    /** What comes first, before the worker has said anything. */
    public function opening(): string;

    public function event(Event $event): string;

    /** What keeps proxies and watchdogs quiet, and shows a client that has gone. */
    public function heartbeat(): string;

    /** What comes after the terminal event. */
    public function closing(): string;
}
