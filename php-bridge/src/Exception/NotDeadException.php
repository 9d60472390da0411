<?php

declare(strict_types=1);

namespace AgentWorkers\Exception;

/** Thrown where a run is not among those that failed for good, or its job is not kept any more and can only be dropped. */
final class NotDeadException extends \RuntimeException implements AgentWorkersException
{
    public function __construct(public readonly string $run, bool $isKept = true)
    {
        parent::__construct($isKept
            ? "The run $run is not among those that failed for good."
            : "The job of the run $run is not kept any more. It can only be dropped.");
    }
}
