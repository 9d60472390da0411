<?php

declare(strict_types=1);

namespace AgentWorkers\Fleet;

use AgentWorkers\Event\Event;
use AgentWorkers\Exception\RunOverException;
use AgentWorkers\Request;

/** What is known of a run of the fleet. */
final class JobStatus
{
    /** @internal what is read at once: the job itself may be large */
    public const FIELDS = [
        'state', 'attempt', 'attempts', 'queue', 'tenant', 'credential', 'worker', 'skill', 'host', 'code',
        'session_id', 'cost_usd', 'asking', 'owned_by', 'submitted', 'run_at', 'expires_at', 'begun', 'ended',
        'retry_of', 'retried_as',
    ];

    public readonly string $state;
    /** Number of the attempt that began last; 0 where none has. */
    public readonly int $attempt;
    /** How often it is tried at most. */
    public readonly int $attempts;
    public readonly string $queue;
    public readonly ?string $tenant;
    /** Name of the key with which it runs; null for the machines' own. */
    public readonly ?string $credential;
    /** Such as agent-chat. */
    public readonly string $worker;
    public readonly ?string $skill;
    /** Name of the machine's process that has it, or had it last. */
    public readonly ?string $host;
    /** Code of the error with which it ended. */
    public readonly ?string $code;
    public readonly ?string $sessionId;
    public readonly ?float $costUsd;
    /** How many of its questions wait for an answer. */
    public readonly int $asking;
    /** Whom JobOptions::owner() named. */
    public readonly ?string $owner;
    /** The failed run whose job was submitted again as this one. */
    public readonly ?string $retryOf;
    /** The run that this failed one's job was submitted again as. */
    public readonly ?string $retriedAs;
    public readonly ?\DateTimeImmutable $submittedAt;
    public readonly ?\DateTimeImmutable $runAt;
    public readonly ?\DateTimeImmutable $expiresAt;
    public readonly ?\DateTimeImmutable $begunAt;
    public readonly ?\DateTimeImmutable $endedAt;

    /**
     * @internal
     *
     * @param array<string, string|false> $fields of the job's hash, false where there is none
     * @param \Closure(string): ?string $read one more of them
     */
    public function __construct(
        public readonly string $run,
        private readonly array $fields,
        private readonly \Closure $read,
    ) {
        $this->state = (string) $this->text('state');
        $this->attempt = (int) $this->text('attempt');
        $this->attempts = (int) $this->text('attempts');
        $this->queue = (string) $this->text('queue');
        $this->tenant = $this->text('tenant');
        $this->credential = $this->text('credential');
        $this->worker = (string) $this->text('worker');
        $this->skill = $this->text('skill');
        $this->host = $this->text('host');
        $this->code = $this->text('code');
        $this->sessionId = $this->text('session_id');
        $cost = $this->text('cost_usd');
        $this->costUsd = is_numeric($cost) ? (float) $cost : null;
        $this->asking = (int) $this->text('asking');
        $this->owner = $this->text('owned_by');
        $this->retryOf = $this->text('retry_of');
        $this->retriedAs = $this->text('retried_as');
        $this->submittedAt = $this->time('submitted');
        $this->runAt = $this->time('run_at');
        $this->expiresAt = $this->time('expires_at');
        $this->begunAt = $this->time('begun');
        $this->endedAt = $this->time('ended');
    }

    /** Whether it has ended: `done`, `error` or `aborted`. */
    public function isOver(): bool
    {
        return in_array($this->state, Event::TERMINAL, true);
    }

    /** Whether a machine is at work on it. Before, it is `scheduled`, `queued` or `admitted`. */
    public function isRunning(): bool
    {
        return $this->state === 'running';
    }

    /**
     * Reads the request, with the fields of the job.
     *
     * @throws RunOverException it has gone meanwhile
     */
    public function request(): Request
    {
        return Request::fromJson(($this->read)('job') ?? throw new RunOverException(false));
    }

    /** @internal what JobOptions::keep() has kept */
    public function kept(string $name): ?string
    {
        return ($this->read)($name) ?: null;
    }

    private function text(string $field): ?string
    {
        $text = $this->fields[$field] ?? '';

        return is_string($text) && $text !== '' ? $text : null;
    }

    private function time(string $field): ?\DateTimeImmutable
    {
        $ms = $this->text($field);

        return $ms === null ? null : Moment::of((int) $ms);
    }
}
