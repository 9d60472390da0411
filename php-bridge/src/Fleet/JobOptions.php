<?php

declare(strict_types=1);

namespace AgentWorkers\Fleet;

use AgentWorkers\Exception\InvalidArgumentException;

/** How a job of the fleet waits, and how often it is tried. Immutable: each method returns a changed copy. */
final class JobOptions
{
    private const ATTEMPTS = 3;

    /**
     * @param array<string, mixed> $fields of the job, by the contract's names
     * @param array<string, string> $kept with the job, for the application alone
     */
    private function __construct(private readonly array $fields = [], private readonly array $kept = [])
    {
    }

    public static function make(): self
    {
        return new self();
    }

    /** @param array<string, mixed> $fields by the contract's names */
    public static function fromArray(array $fields): self
    {
        return new self($fields);
    }

    /** Sets a field by its name in the contract. */
    public function with(string $field, mixed $value): self
    {
        return new self([$field => $value] + $this->fields, $this->kept);
    }

    /** The queue in which it waits; `default` without. */
    public function queue(string $name): self
    {
        return $this->with('queue', $name);
    }

    /** For which of your customers it runs: nobody's jobs keep all others waiting. The model is never shown it. */
    public function tenant(string $tenant): self
    {
        return $this->with('tenant', $tenant);
    }

    /** @param int $priority -9 to 9: a tenant's jobs with a higher one go first */
    public function priority(int $priority): self
    {
        return $this->with('priority', $priority);
    }

    /** It does not begin before. */
    public function runAt(\DateTimeInterface $time): self
    {
        return $this->with('run_at', self::written($time));
    }

    /** If it has not begun by then, it ends with the error `timeout`. */
    public function expiresAt(\DateTimeInterface $time): self
    {
        return $this->with('expires_at', self::written($time));
    }

    /** How often it is tried at most; 3 without. */
    public function attempts(int $attempts): self
    {
        return $this->with('attempts', $attempts);
    }

    /** Codes of errors after which it is tried again, such as `rate_limited`; without, only where its worker was lost. */
    public function retryOn(string ...$codes): self
    {
        return $this->with('retry_on', array_values($codes));
    }

    /** The name of the credential that the machine which runs it looks up: never a key. */
    public function credential(string $name): self
    {
        return $this->with('credential', $name);
    }

    /** The queue that gets the job when no attempt is left. */
    public function onFailureQueue(string $queue): self
    {
        return $this->with('on_failure', ['queue' => $queue]);
    }

    /** Who is told when no attempt is left. */
    public function onFailurePerson(string $person): self
    {
        return $this->with('on_failure', ['person' => $person]);
    }

    /** Who owns the run: kept with it for your own checks, as `JobStatus::$owner`. The fleet looks at it nowhere. */
    public function owner(string $owner): self
    {
        return $this->keep('owned_by', $owner);
    }

    /**
     * Keeps something of the application's with the job, in Redis and in no file: `JobStatus::kept()` reads it.
     *
     * @internal
     */
    public function keep(string $name, string $value): self
    {
        return new self($this->fields, [$name => $value] + $this->kept);
    }

    /** @return array<string, mixed> fields of the job, by the contract's names */
    public function toArray(): array
    {
        return $this->fields;
    }

    public function get(string $field): mixed
    {
        return $this->fields[$field] ?? null;
    }

    /**
     * Returns what submit.lua takes after the job, and before the names and values of more fields.
     *
     * @internal
     *
     * @return list<string|int>
     */
    public function arguments(string $worker, string $user, string $traceparent): array
    {
        return [
            $this->get('queue') ?? 'default',
            $this->get('tenant') ?? '',
            $this->get('credential') ?? '',
            $this->get('priority') ?? 0,
            $this->get('attempts') ?? self::ATTEMPTS,
            $this->milliseconds('run_at'),
            $this->milliseconds('expires_at'),
            $worker,
            $user,
            $traceparent,
            $this->get('on_failure') === null ? 0 : 1,
        ];
    }

    /**
     * @internal
     *
     * @return list<string> names and values
     */
    public function more(): array
    {
        $flat = [];
        foreach ($this->kept as $name => $value) {
            array_push($flat, $name, $value);
        }

        return $flat;
    }

    private function milliseconds(string $field): string
    {
        $time = $this->get($field);
        if ($time === null) {
            return '';
        }
        try {
            $parsed = is_string($time) ? new \DateTimeImmutable($time) : null;
        } catch (\Exception) {
            $parsed = null;
        }

        return $parsed?->format('Uv') ?? throw new InvalidArgumentException(
            "`$field` of the job must be an RFC 3339 time with its offset, such as 2026-11-27T09:30:00Z.",
        );
    }

    private static function written(\DateTimeInterface $time): string
    {
        $utc = \DateTimeImmutable::createFromInterface($time)->setTimezone(new \DateTimeZone('UTC'));

        return $utc->format('Y-m-d\TH:i:s.v\Z');
    }
}
