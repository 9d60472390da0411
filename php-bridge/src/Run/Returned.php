<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

/**
 * What a generator returns as its result, also if that is null.
 *
 * @internal
 */
final class Returned
{
    public function __construct(public readonly mixed $value)
    {
    }
}
