<?php

declare(strict_types=1);

namespace AgentWorkers\Exception;

/** A line is not an event of the contract, or of another version of it. */
final class MalformedEventException extends \RuntimeException implements AgentWorkersException
{
    public function __construct(string $message, public readonly bool $isOtherVersion = false)
    {
        parent::__construct($message);
    }
}
