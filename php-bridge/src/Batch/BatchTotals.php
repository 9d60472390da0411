<?php

declare(strict_types=1);

namespace AgentWorkers\Batch;

use AgentWorkers\Event\Fields;
use AgentWorkers\Event\Usage;

/** What a batch came to, with what earlier starts of the same checkpoint have done. */
final class BatchTotals
{
    public readonly int $done;
    public readonly int $failed;
    public readonly int $aborted;
    /** Requests that were settled by an earlier start. */
    public readonly int $earlier;
    /** Requests that are out in the economy lane: the same batch, started again, has their results later. */
    public readonly int $out;
    /** How often a run was begun. */
    public readonly int $attempts;
    /** An estimate. */
    public readonly float $costUsd;
    public readonly Usage $usage;
    /** @var array<string, int> how often each code ended a run */
    public readonly array $errors;
    /** @var list<string> what the operator should know, such as why requests are not for the economy lane */
    public readonly array $notes;

    /**
     * @internal
     *
     * @param array<array-key, mixed> $data
     */
    public function __construct(array $data)
    {
        $fields = new Fields($data);
        $this->done = $fields->int('done');
        $this->failed = $fields->int('failed');
        $this->aborted = $fields->int('aborted');
        $this->earlier = $fields->int('earlier');
        $this->out = $fields->int('out');
        $this->attempts = $fields->int('attempts');
        $this->costUsd = $fields->floatOrNull('cost_usd') ?? 0.0;
        $this->usage = Usage::fromArray($fields->array('usage'));
        $this->errors = $fields->array('errors');
        $this->notes = array_values(array_filter($fields->array('notes'), is_string(...)));
    }
}
