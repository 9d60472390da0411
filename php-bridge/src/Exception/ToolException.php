<?php

declare(strict_types=1);

namespace AgentWorkers\Exception;

/** Thrown by a tool of the application: the call has failed, and the message is what the model is told. */
final class ToolException extends \RuntimeException implements AgentWorkersException
{
    /** @param bool|null $retryable whether the same call may succeed later; null if unknown */
    public function __construct(
        string $message = '',
        int $code = 0,
        ?\Throwable $previous = null,
        public readonly ?bool $retryable = null,
    ) {
        parent::__construct($message, $code, $previous);
    }
}
