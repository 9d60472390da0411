<?php

declare(strict_types=1);

namespace App\Fleet;

use AgentWorkers\Fleet\JobStatus;
use Illuminate\Support\Carbon;

/** A run of the fleet in the words of the operator's page. */
final class RunLine
{
    private const STATES = [
        'scheduled' => 'scheduled',
        'queued' => 'waits',
        'admitted' => 'begins',
        'running' => 'runs',
        'done' => 'done',
        'error' => 'failed',
        'aborted' => 'stopped',
    ];
    private const TONES = ['running' => 'now', 'admitted' => 'now', 'done' => 'good', 'error' => 'bad'];

    public function __construct(public readonly JobStatus $job)
    {
    }

    public function state(): string
    {
        return $this->job->asking > 0 && $this->job->isRunning()
            ? 'asks a person'
            : self::STATES[$this->job->state] ?? $this->job->state;
    }

    public function tone(): string
    {
        return $this->job->asking > 0 && $this->job->isRunning() ? 'asks' : self::TONES[$this->job->state] ?? 'still';
    }

    /** What runs it. */
    public function worker(): string
    {
        return $this->job->skill === null ? $this->job->worker : "{$this->job->worker}: {$this->job->skill}";
    }

    /** Where it waits or runs, and for whom. */
    public function place(): string
    {
        return implode(' · ', array_filter([$this->job->queue, $this->job->tenant, $this->attempt()]));
    }

    /** @return array{string, Carbon}|null what happened to it last, and when */
    public function moment(): ?array
    {
        $job = $this->job;
        [$what, $at] = match (true) {
            $job->endedAt !== null => ['ended', $job->endedAt],
            $job->state === 'scheduled' => ['due', $job->runAt],
            $job->isRunning() => ['began', $job->begunAt],
            default => ['came', $job->submittedAt],
        };

        return $at === null ? null : [$what, Carbon::instance($at)->locale('en')];
    }

    /** @return array<string, string|array{string}> what else is known of it; the names of other runs as arrays */
    public function facts(): array
    {
        $job = $this->job;
        $at = static fn (?\DateTimeImmutable $time): ?string
            => $time === null ? null : $time->format('j M Y, H:i:s') . ' UTC';

        return array_filter([
            'Worker' => $this->worker(),
            'Queue' => $job->queue,
            'Tenant' => $job->tenant,
            'Credential' => $job->credential,
            'Attempt' => $job->attempt === 0 ? null : "$job->attempt of $job->attempts",
            'Machine' => $job->host,
            'Error' => $job->code,
            'Submitted' => $at($job->submittedAt),
            'To run at' => $at($job->runAt),
            'To begin by' => $at($job->expiresAt),
            'Began' => $at($job->begunAt),
            'Ended' => $at($job->endedAt),
            'Cost' => $job->costUsd === null ? null : sprintf('$%.4f', $job->costUsd),
            'Second run of' => $job->retryOf === null ? null : [$job->retryOf],
            'Submitted again as' => $job->retriedAs === null ? null : [$job->retriedAs],
        ], static fn (mixed $fact): bool => $fact !== null);
    }

    /** What was asked, as JSON. */
    public function request(): string
    {
        $flags = JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PARTIAL_OUTPUT_ON_ERROR;

        return (string) json_encode($this->job->request()->toArray(), $flags);
    }

    private function attempt(): ?string
    {
        return $this->job->attempt > 1 ? "attempt {$this->job->attempt} of {$this->job->attempts}" : null;
    }
}
