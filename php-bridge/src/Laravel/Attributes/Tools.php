<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Attributes;

use AgentWorkers\AppTool;
use AgentWorkers\Exception\InvalidArgumentException;
use Attribute;

/**
 * The tools that the agent has: of the application, by class or by the name that Agent::tool() registered, and of the
 * agent itself, such as Read or Bash, with a worker that runs agent-task.
 */
#[Attribute(Attribute::TARGET_CLASS)]
final class Tools
{
    /** @var list<string> */
    public readonly array $names;

    /** @param string|class-string<AppTool> ...$names */
    public function __construct(string ...$names)
    {
        $names !== [] || throw new InvalidArgumentException('it names no tool. Name one, or leave the attribute out');
        $this->names = array_values($names);
    }
}
