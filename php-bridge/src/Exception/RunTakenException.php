<?php

declare(strict_types=1);

namespace AgentWorkers\Exception;

/** A job was submitted under the id of a run that is another job. */
final class RunTakenException extends \RuntimeException implements AgentWorkersException
{
    public function __construct(public readonly string $run)
    {
        parent::__construct("The run $run is another job. Give each job an id of its own, or leave it out.");
    }
}
