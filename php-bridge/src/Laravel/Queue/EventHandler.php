<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Queue;

use AgentWorkers\Event\Event;
use AgentWorkers\Run;

/** Takes the events of a queued run. Resolved from the container, once for each attempt. */
interface EventHandler
{
    /** Called for each event, in order. Each attempt has its own end; all have the same id. */
    public function handle(Event $event, Run $run): void;
}
