<?php

declare(strict_types=1);

namespace AgentWorkers\Exception;

final class LogicException extends \LogicException implements AgentWorkersException
{
}
