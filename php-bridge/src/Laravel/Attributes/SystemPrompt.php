<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Attributes;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Laravel\PendingRun;
use Attribute;

/** The system prompt, where it is a plain text. What instructions() returns comes before it. */
#[Attribute(Attribute::TARGET_CLASS)]
final class SystemPrompt implements AgentAttribute
{
    public function __construct(public readonly string $text)
    {
        trim($text) !== '' || throw new InvalidArgumentException(
            'it is empty. Write what the agent is for, or leave the attribute out',
        );
    }

    public function apply(PendingRun $run): PendingRun
    {
        return $run->systemPrompt($this->text);
    }
}
