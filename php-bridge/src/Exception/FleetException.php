<?php

declare(strict_types=1);

namespace AgentWorkers\Exception;

/** The fleet cannot be asked: its Redis cannot be reached, or says no. */
final class FleetException extends \RuntimeException implements AgentWorkersException
{
}
