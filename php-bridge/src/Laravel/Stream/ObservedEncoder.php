<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Stream;

use AgentWorkers\Event\Event;
use AgentWorkers\Laravel\Words;
use AgentWorkers\Sse\Encoder;

/**
 * Calls a closure with each event that is sent, including those that the Emitter adds, which speak the language of the
 * application.
 *
 * @internal
 */
final class ObservedEncoder implements Encoder
{
    /** @param \Closure(Event): void $observe */
    public function __construct(private readonly Encoder $encoder, private readonly \Closure $observe)
    {
    }

    public function opening(): string
    {
        return $this->encoder->opening();
    }

    public function event(Event $event): string
    {
        $event = Words::ofOurs($event);
        ($this->observe)($event);

        return $this->encoder->event($event);
    }

    public function heartbeat(): string
    {
        return $this->encoder->heartbeat();
    }

    public function closing(): string
    {
        return $this->encoder->closing();
    }
}
