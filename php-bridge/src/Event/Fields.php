<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/**
 * Reads a decoded JSON object by name and type, and never fails: a worker newer than this package must not break its
 * readers. A missing optional field is null, which means unknown.
 *
 * @internal
 */
final class Fields
{
    /** @param array<array-key, mixed> $data */
    public function __construct(private readonly array $data)
    {
    }

    public function string(string $name): string
    {
        return $this->stringOrNull($name) ?? '';
    }

    public function stringOrNull(string $name): ?string
    {
        $value = $this->data[$name] ?? null;

        return is_string($value) ? $value : null;
    }

    public function int(string $name): int
    {
        return $this->intOrNull($name) ?? 0;
    }

    public function intOrNull(string $name): ?int
    {
        $value = $this->data[$name] ?? null;

        return is_int($value) || is_float($value) ? (int) $value : null;
    }

    public function floatOrNull(string $name): ?float
    {
        $value = $this->data[$name] ?? null;

        return is_int($value) || is_float($value) ? (float) $value : null;
    }

    public function bool(string $name): bool
    {
        return ($this->data[$name] ?? null) === true;
    }

    public function boolOrNull(string $name): ?bool
    {
        $value = $this->data[$name] ?? null;

        return is_bool($value) ? $value : null;
    }

    /** @return array<array-key, mixed> */
    public function array(string $name): array
    {
        return $this->arrayOrNull($name) ?? [];
    }

    /** @return array<array-key, mixed>|null */
    public function arrayOrNull(string $name): ?array
    {
        $value = $this->data[$name] ?? null;

        return is_array($value) ? $value : null;
    }

    public function usageOrNull(string $name): ?Usage
    {
        $value = $this->arrayOrNull($name);

        return $value === null ? null : Usage::fromArray($value);
    }

    public function mixed(string $name): mixed
    {
        return $this->data[$name] ?? null;
    }
}
