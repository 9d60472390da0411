<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Attributes;

use AgentWorkers\Laravel\PendingRun;

/** What a class says of its runs. An application may write attributes of its own. */
interface AgentAttribute
{
    public function apply(PendingRun $run): PendingRun;
}
