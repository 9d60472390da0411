<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Event\Event;
use AgentWorkers\Laravel\Queue\EventHandler;
use AgentWorkers\Run;

final class RememberingHandler implements EventHandler
{
    /** @var list<string> */
    public array $types = [];

    public function handle(Event $event, Run $run): void
    {
        $this->types[] = $event->type;
    }
}
