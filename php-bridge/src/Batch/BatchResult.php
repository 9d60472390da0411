<?php

declare(strict_types=1);

namespace AgentWorkers\Batch;

use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Event\Fields;
use AgentWorkers\Event\Usage;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;

/** What one request of a batch has come to. `data` is the whole JSON object that agent-batch wrote. */
final class BatchResult
{
    public readonly string $run;
    /** The number of the request, from 1. */
    public readonly int $line;
    public readonly ?string $worker;
    /** The type of the run's last event: done, error or aborted. */
    public readonly string $status;
    /** A value that satisfies the skill's output schema, or the request's; objects become arrays. */
    public readonly mixed $output;
    /** The answer, where there is no output. */
    public readonly ?string $text;
    /** Why it failed; null where it did not. */
    public readonly ?ErrorEvent $error;
    public readonly ?string $skill;
    public readonly ?string $skillVersion;
    /** Whether a person should look at the output; null where the skill does not say. */
    public readonly ?bool $needsReview;
    public readonly ?Usage $usage;
    /** An estimate, of all attempts. */
    public readonly ?float $costUsd;
    /**
     * In a batch in the economy lane, how the engine messages had it done: economy or live; null where it failed, where
     * an agent or a program of its own did it, and in other batches.
     */
    public readonly ?string $lane;
    public readonly ?string $sessionId;
    public readonly int $attempts;

    /**
     * @internal a Batch makes them
     *
     * @param string|int $key of the request
     * @param array<array-key, mixed> $data
     */
    public function __construct(public readonly string|int $key, public readonly array $data)
    {
        $fields = new Fields($data);
        $this->run = $fields->string('run');
        $this->line = $fields->int('line');
        $this->worker = $fields->stringOrNull('worker');
        $this->status = $fields->string('status');
        $this->output = $fields->mixed('output');
        $this->text = $fields->stringOrNull('text');
        $this->skill = $fields->stringOrNull('skill');
        $this->skillVersion = $fields->stringOrNull('skill_version');
        $this->needsReview = $fields->boolOrNull('needs_review');
        $this->usage = $fields->usageOrNull('usage');
        $this->costUsd = $fields->floatOrNull('cost_usd');
        $this->lane = $fields->stringOrNull('lane');
        $this->sessionId = $fields->stringOrNull('session_id');
        $this->attempts = $fields->int('attempts');
        $this->error = $this->status !== 'error'
            ? null
            : EventFactory::compose($this->run, 1, 'error', $fields->array('error') + $this->spent());
    }

    public function isDone(): bool
    {
        return $this->status === 'done';
    }

    /**
     * Returns the result itself, if it is done.
     *
     * @throws RunFailedException
     * @throws RunAbortedException
     */
    public function orFail(): self
    {
        if ($this->error !== null) {
            throw new RunFailedException($this->error);
        }
        if (!$this->isDone()) {
            $reason = ['reason' => (new Fields($this->data))->string('reason')];
            throw new RunAbortedException(EventFactory::compose($this->run, 1, 'aborted', $reason + $this->spent()));
        }

        return $this;
    }

    /** @return array<string, mixed> */
    private function spent(): array
    {
        return array_intersect_key($this->data, ['usage' => true, 'cost_usd' => true, 'session_id' => true]);
    }
}
