<?php

declare(strict_types=1);

namespace AgentWorkers\Exception;

use AgentWorkers\Event\ErrorEvent;

/** The run ended with `error`. The message is safe to show to a user. */
final class RunFailedException extends \RuntimeException implements AgentWorkersException
{
    public function __construct(public readonly ErrorEvent $event)
    {
        parent::__construct($event->message);
    }

    public function isRetryable(): bool
    {
        return $this->event->retryable;
    }
}
