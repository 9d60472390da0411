<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Stream;

use AgentWorkers\Event\Event;
use AgentWorkers\Laravel\Words;
use AgentWorkers\Sse\Encoder;

/**
 * Sends what a closure makes of each event, including those that the Emitter adds, which speak the language of the
 * application.
 *
 * @internal
 */
final class ShownEncoder implements Encoder
{
    /** @param \Closure(Event): Event $show */
    public function __construct(private readonly Encoder $encoder, private readonly \Closure $show)
    {
    }

    public function opening(): string
    {
        return $this->encoder->opening();
    }

    public function event(Event $event): string
    {
        return $this->encoder->event(($this->show)(Words::ofOurs($event)));
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
