<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Queue;

use AgentWorkers\Event\Event;

/** Dispatched for each event of a queued run that has no handler. */
final class AgentEvent
{
    /** @param array<string, mixed> $request what was asked, by the contract's names: `metadata` tells runs apart */
    public function __construct(public readonly Event $event, public readonly array $request)
    {
    }
}
