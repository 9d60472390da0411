<?php

declare(strict_types=1);

namespace AgentWorkers\Sse;

use AgentWorkers\Event\Event;
use AgentWorkers\Event\Ping;

/**
 * Writes what Laravel's response()->eventStream() sends and the hooks of @laravel/stream-* read: every event as the
 * data of an `update`, and `</stream>` at the end. Pings are comments, because the hooks take every `update` for a
 * message.
 */
final class LaravelEncoder implements Encoder
{
    private const EVENT = 'update';
    private const END = '</stream>';

    public function opening(): string
    {
        return $this->heartbeat();
    }

    public function event(Event $event): string
    {
        return $event instanceof Ping ? $this->heartbeat() : Frame::of(self::EVENT, $event->toJson());
    }

    public function heartbeat(): string
    {
        return Frame::comment('ping');
    }

    public function closing(): string
    {
        return Frame::of(self::EVENT, self::END);
    }
}
