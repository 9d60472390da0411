<?php

declare(strict_types=1);

namespace AgentWorkers\Exception;

final class InvalidArgumentException extends \InvalidArgumentException implements AgentWorkersException
{
}
