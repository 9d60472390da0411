<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

/**
 * The result of a tool, from the record of an earlier attempt.
 *
 * @internal
 */
final class Replayed
{
    /** @param string|list<array<string, mixed>> $content by the contract's names */
    public function __construct(public readonly string|array $content)
    {
    }
}
