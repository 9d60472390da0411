<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Attributes;

use Attribute;

/** Which entry of `workers` in config/agent-workers.php runs it: chat, if a class does not say, task, or one's own. */
#[Attribute(Attribute::TARGET_CLASS)]
final class Worker
{
    public function __construct(public readonly string $name)
    {
    }
}
