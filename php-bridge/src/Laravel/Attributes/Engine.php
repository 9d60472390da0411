<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Attributes;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Laravel\PendingRun;
use Attribute;

/** What runs it: agent, or messages, the plain Messages API for what needs no tools but the application's. */
#[Attribute(Attribute::TARGET_CLASS)]
final class Engine implements AgentAttribute
{
    private const KNOWN = ['agent', 'messages'];

    public function __construct(public readonly string $name)
    {
        in_array($name, self::KNOWN, true) || throw new InvalidArgumentException(
            "there is no engine \"$name\". Write agent or messages",
        );
    }

    public function apply(PendingRun $run): PendingRun
    {
        return $run->engine($this->name);
    }
}
