<?php

declare(strict_types=1);

namespace AgentWorkers\Sse;

use AgentWorkers\Event\Event;
use AgentWorkers\Event\Start;

/**
 * Writes each event under its own name, with an id for `Last-Event-ID`: `{run}:{seq}`, and in a later attempt of the
 * run, which counts from 1 again, `{run}:{attempt}-{seq}`.
 */
final class NativeEncoder implements Encoder
{
    private int $attempt;

    /**
     * @param positive-int $retryMs how long a client waits before it connects again
     * @param positive-int $begun the attempt of the run that the first events are of
     */
    public function __construct(private readonly int $retryMs = 3000, private readonly int $begun = 1)
    {
        $this->attempt = $begun;
    }

    public function opening(): string
    {
        $this->attempt = $this->begun; // the encoder may have been used before

        return "retry: $this->retryMs\n\n" . $this->heartbeat();
    }

    public function event(Event $event): string
    {
        if ($event instanceof Start) {
            $this->attempt = $event->attempt();
        }

        $place = $this->attempt > 1 ? "$this->attempt-$event->seq" : "$event->seq";

        return Frame::of($event->type, $event->toJson(), "$event->run:$place");
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
