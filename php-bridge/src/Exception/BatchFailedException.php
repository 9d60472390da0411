<?php

declare(strict_types=1);

namespace AgentWorkers\Exception;

/** A batch could not begin, or broke off. The message is for operators: it may name files. */
final class BatchFailedException extends \RuntimeException implements AgentWorkersException
{
    public const REFUSED = 'refused';
    public const NOT_INSTALLED = 'not_installed';
    public const NOT_STARTED = 'not_started';
    public const LOST = 'lost';

    /**
     * @internal
     *
     * @param string $reason one of the constants
     * @param string $stderr the end of what agent-batch said there
     */
    public function __construct(
        public readonly string $reason,
        string $message,
        public readonly ?int $exitCode = null,
        public readonly string $stderr = '',
    ) {
        parent::__construct($message);
    }

    /** Whether the same batch may go on if it is started again, with the same checkpoint. */
    public function isRetryable(): bool
    {
        return $this->reason === self::LOST;
    }
}
