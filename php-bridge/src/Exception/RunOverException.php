<?php

declare(strict_types=1);

namespace AgentWorkers\Exception;

/** Thrown where something is sent to a run that nobody reads any more. The message is safe to show to a user. */
final class RunOverException extends \RuntimeException implements AgentWorkersException
{
    /** @param bool $isKnown false if there is no such run of this owner; nothing tells more */
    public function __construct(public readonly bool $isKnown)
    {
        parent::__construct($isKnown ? 'This run has ended.' : 'There is no such run.');
    }
}
