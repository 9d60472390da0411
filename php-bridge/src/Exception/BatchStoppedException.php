<?php

declare(strict_types=1);

namespace AgentWorkers\Exception;

use AgentWorkers\Batch\BatchTotals;

/**
 * A batch ended before its requests did: by a limit of its own, or because somebody stopped it. All results that there
 * are came before.
 */
final class BatchStoppedException extends \RuntimeException implements AgentWorkersException
{
    private const WORDS = [
        'max_cost_usd' => 'its runs have cost what they may',
        'max_errors' => 'too many of its requests have failed',
        'deadline' => 'its time was up',
    ];

    /**
     * @internal
     *
     * @param string $reason max_cost_usd, max_errors, deadline or signal
     */
    public function __construct(public readonly string $reason, public readonly ?BatchTotals $totals = null)
    {
        $why = self::WORDS[$reason] ?? 'it was told to';
        parent::__construct("The batch stopped before all of its requests were run: $why.");
    }
}
