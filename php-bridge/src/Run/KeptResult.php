<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

/**
 * The result of a tool as it was kept: of this attempt, or of an earlier one.
 *
 * @internal
 */
final class KeptResult
{
    /** @param string|list<array<string, mixed>> $content by the contract's names */
    public function __construct(public readonly string|array $content, public readonly bool $isReplayed)
    {
    }
}
