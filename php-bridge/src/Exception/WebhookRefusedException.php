<?php

declare(strict_types=1);

namespace AgentWorkers\Exception;

/** Thrown where a webhook is not what the gateway sent, or not when. */
final class WebhookRefusedException extends \RuntimeException implements AgentWorkersException
{
}
