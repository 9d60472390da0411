<?php

declare(strict_types=1);

namespace AgentWorkers\Testing;

use AgentWorkers\Batch\BatchOptions;
use AgentWorkers\Batch\BatchResult;
use AgentWorkers\Batch\BatchTotals;
use AgentWorkers\Batch\Lines;
use AgentWorkers\Batch\Source;
use AgentWorkers\Event\Event;
use AgentWorkers\Exception\BatchStoppedException;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Request;
use AgentWorkers\Run;

/**
 * A batch of scripts, one after the other, each tried once. It keeps the limits on failures and costs.
 *
 * @internal
 */
final class FakeBatch implements Source
{
    private const TOLD = ['skill', 'skill_version', 'needs_review', 'usage', 'cost_usd', 'lane', 'session_id'];
    private const ERROR = ['code', 'message', 'retryable', 'retry_after_ms', 'http_status', 'details'];

    private bool $isStopped = false;
    private ?BatchTotals $totals = null;
    /** @var array{done: int, error: int, aborted: int} */
    private array $counts = ['done' => 0, 'error' => 0, 'aborted' => 0];
    private int $out = 0;
    private float $costUsd = 0.0;

    /**
     * @param \Closure(Request, string): ?Run $start takes the name of the worker, too; null is pending
     * @param iterable<array-key, Request> $requests
     */
    public function __construct(
        private readonly \Closure $start,
        private readonly iterable $requests,
        private readonly BatchOptions $options,
    ) {
    }

    public function results(): \Generator
    {
        foreach ($this->requests as $key => $request) {
            $this->keepLimits();
            Lines::check($key, $request);
            $result = $this->result($key, $request);
            if ($result !== null) {
                yield $key => $result;
            }
        }
        $this->totals = $this->sum();
    }

    public function stop(): void
    {
        $this->isStopped = true;
    }

    public function totals(): ?BatchTotals
    {
        return $this->totals;
    }

    private function result(int|string $key, Request $request): ?BatchResult
    {
        $worker = Lines::workerOf($request) ?? 'agent-chat';
        $run = ($this->start)($request, $worker);
        if ($run === null) {
            $this->out++;

            return null;
        }
        $end = self::endOf($run);
        $answer = match ($end->type) {
            'done' => isset($end->data['output']) ? ['output' => $end->data['output']] : ['text' => $end->data['text']],
            'error' => ['error' => array_intersect_key($end->data, array_flip(self::ERROR))],
            default => ['reason' => $end->data['reason'] ?? 'client'],
        };
        $line = array_sum($this->counts) + $this->out + 1;
        $head = ['run' => $run->id, 'line' => $line, 'key' => $key, 'worker' => $worker, 'status' => $end->type];
        $told = array_intersect_key($end->data, array_flip(self::TOLD));
        $lane = $this->options->economy && $end->type === 'done' ? self::laneOf($request) : [];
        $result = new BatchResult($key, $head + $answer + $told + $lane + ['attempts' => 1]);
        $this->counts[$end->type]++;
        $this->costUsd += $result->costUsd ?? 0.0;

        return $result;
    }

    /** @return array<string, string> nothing of what an agent does */
    private static function laneOf(Request $request): array
    {
        $isPlain = $request->get('app_tools') === null && $request->get('session') === null;

        return $request->get('engine') === 'messages' ? ['lane' => $isPlain ? 'economy' : 'live'] : [];
    }

    private static function endOf(Run $run): Event
    {
        try {
            return $run->wait();
        } catch (RunFailedException | RunAbortedException $ended) {
            return $ended->event;
        }
    }

    private function keepLimits(): void
    {
        $most = $this->options;
        $reason = match (true) {
            $this->isStopped => 'signal',
            $most->maxCostUsd !== null && $this->costUsd >= $most->maxCostUsd => 'max_cost_usd',
            $most->maxErrors !== null && $this->counts['error'] >= $most->maxErrors => 'max_errors',
            default => null,
        };
        if ($reason !== null) {
            $this->totals = $this->sum();
            throw new BatchStoppedException($reason, $this->totals);
        }
    }

    private function sum(): BatchTotals
    {
        ['done' => $done, 'error' => $failed, 'aborted' => $aborted] = $this->counts;

        return new BatchTotals([
            'done' => $done,
            'failed' => $failed,
            'aborted' => $aborted,
            'out' => $this->out,
            'attempts' => $done + $failed + $aborted,
            'cost_usd' => $this->costUsd,
        ]);
    }
}
