<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** The request was accepted; the agent is not up yet. */
final class Start extends Event
{
    public readonly string $worker;
    public readonly string $workerVersion;
    public readonly string $sdkVersion;
    /** agent or messages; null where a tool runs without a model. */
    public readonly ?string $engine;
    /** live, warm or cold: what a pool served the run with; null for a worker that its caller started. */
    public readonly ?string $warm;
    public readonly bool $simulated;
    /** @var array<string, mixed>|null */
    public readonly ?array $metadata;
    /** @var array{type: string, id: string}|null what the run is about */
    public readonly ?array $subject;
    public readonly ?string $user;
    public readonly ?string $goal;
    public readonly ?string $skill;
    public readonly ?string $skillVersion;
    /** Which attempt of the run begins, where an earlier one was lost; null in the first one. */
    public readonly ?int $attempt;
    /** The W3C trace context of the request. */
    public readonly ?string $traceparent;

    /** Which attempt of the run begins, from 1. A later one begins anew: what came of those before no longer counts. */
    public function attempt(): int
    {
        return max(1, $this->attempt ?? 1);
    }

    protected function read(Fields $fields): void
    {
        $this->worker = $fields->string('worker');
        $this->workerVersion = $fields->string('worker_version');
        $this->sdkVersion = $fields->string('sdk_version');
        $this->engine = $fields->stringOrNull('engine');
        $this->warm = $fields->stringOrNull('warm');
        $this->simulated = $fields->bool('simulated');
        $this->metadata = $fields->arrayOrNull('metadata');
        $this->subject = $fields->arrayOrNull('subject');
        $this->user = $fields->stringOrNull('user');
        $this->goal = $fields->stringOrNull('goal');
        $this->skill = $fields->stringOrNull('skill');
        $this->skillVersion = $fields->stringOrNull('skill_version');
        $this->attempt = $fields->intOrNull('attempt');
        $this->traceparent = $fields->stringOrNull('traceparent');
    }
}
