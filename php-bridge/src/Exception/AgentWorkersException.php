<?php

declare(strict_types=1);

namespace AgentWorkers\Exception;

/** Every exception of this package. */
interface AgentWorkersException extends \Throwable
{
}
