<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Attributes;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Laravel\PendingRun;
use AgentWorkers\Request;
use Attribute;

/** Seconds after which a run ends. */
#[Attribute(Attribute::TARGET_CLASS)]
final class Timeout implements AgentAttribute
{
    public function __construct(public readonly float $seconds)
    {
        ($seconds > 0 && is_finite($seconds)) || throw new InvalidArgumentException(
            'it must be more than 0 seconds, and a number',
        );
    }

    public function apply(PendingRun $run): PendingRun
    {
        return $run->configure(fn (Request $request): Request => $request->limits(timeoutS: $this->seconds));
    }
}
