<?php

declare(strict_types=1);

namespace AgentWorkers\Exception;

/** Thrown where what a person typed cannot be run. The message is for that person. */
final class InvalidCommandException extends \RuntimeException implements AgentWorkersException
{
    /** @param string $pointer JSON Pointer into the input, such as `/city`; empty if it is not about one argument */
    public function __construct(
        string $message,
        public readonly string $pointer = '',
        public readonly ?string $didYouMean = null,
    ) {
        parent::__construct($didYouMean === null ? $message : "$message Did you mean \"$didYouMean\"?");
    }
}
