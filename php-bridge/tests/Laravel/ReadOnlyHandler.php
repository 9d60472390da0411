<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Decision;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\PermissionRequest;
use AgentWorkers\Laravel\Queue\EventHandler;
use AgentWorkers\Run;

final class ReadOnlyHandler implements EventHandler
{
    public function handle(Event $event, Run $run): void
    {
        if ($event instanceof PermissionRequest) {
            $decision = $event->name === 'Read' ? Decision::allow() : Decision::deny('Only reading is allowed.');
            $run->decide($event->permissionId, $decision);
        }
    }
}
