<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Queue;

use AgentWorkers\Event\Event;
use AgentWorkers\Run;

/** Takes the events of a queued run. Resolved from the container, once for each attempt. */
interface EventHandler
{
    /** Called for each event, in order. Each attempt is a run of its own, with its own id and its own end. */
    public function handle(Event $event, Run $run): void;
}
