<?php

declare(strict_types=1);

namespace AgentWorkers\Exception;

/** Thrown by a tool of the application: the call has failed, and the message is what the model is told. */
final class ToolException extends \RuntimeException implements AgentWorkersException
{
}
