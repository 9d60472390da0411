<?php

declare(strict_types=1);

namespace AgentWorkers\Exception;

use AgentWorkers\Event\Aborted;

/** The run was stopped from outside before it had an answer. */
final class RunAbortedException extends \RuntimeException implements AgentWorkersException
{
    public function __construct(public readonly Aborted $event)
    {
        parent::__construct('The run was aborted.');
    }
}
