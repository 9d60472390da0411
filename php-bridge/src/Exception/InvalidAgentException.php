<?php

declare(strict_types=1);

namespace AgentWorkers\Exception;

/** A class of an agent is wrong: the message names the class, what is wrong with it, and what to do. */
final class InvalidAgentException extends \InvalidArgumentException implements AgentWorkersException
{
    public function __construct(public readonly string $class, string $problem, ?\Throwable $previous = null)
    {
        parent::__construct("$class: $problem", 0, $previous);
    }
}
