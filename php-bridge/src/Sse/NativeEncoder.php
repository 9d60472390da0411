<?php

declare(strict_types=1);

namespace AgentWorkers\Sse;

use AgentWorkers\Event\Event;

/** Writes each event under its own name, with the id `{run}:{seq}` for `Last-Event-ID`. */
final class NativeEncoder implements Encoder
{
    /** @param positive-int $retryMs how long a client waits before it connects again */
    public function __construct(private readonly int $retryMs = 3000)
    {
    }

    public function opening(): string
    {
        return "retry: $this->retryMs\n\n" . $this->heartbeat();
    }

    public function event(Event $event): string
    {
        return Frame::of($event->type, $event->toJson(), "$event->run:$event->seq");
    }

    /** A comment for proxies, and a named event: a script in the browser never sees comments. */
    public function heartbeat(): string
    {
        return Frame::comment('ping') . Frame::of('ping', '{"type":"ping"}');
    }

    public function closing(): string
    {
        return '';
    }
}
