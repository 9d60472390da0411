<?php

declare(strict_types=1);

namespace AgentWorkers\Testing;

/**
 * A value that satisfies a JSON Schema, for fakes: the first that it names, else the simplest of its type. A `pattern`,
 * `not` and the like are beyond it: give such an output by Script::output().
 *
 * @internal
 */
final class Sample
{
    /** Beyond it, only what is required: a schema may refer to itself. */
    private const DEPTH = 4;
    private const DEEPEST = 64;
    private const FORMATS = [
        'date' => '2026-01-01', 'date-time' => '2026-01-01T00:00:00Z', 'time' => '00:00:00Z',
        'email' => 'somebody@example.com', 'uri' => 'https://example.com/', 'hostname' => 'example.com',
        'uuid' => '00000000-0000-4000-8000-000000000000', 'ipv4' => '192.0.2.1', 'ipv6' => '2001:db8::1',
    ];

    /** @param array<string, mixed> $root */
    private function __construct(private readonly array $root)
    {
    }

    /** @param array<string, mixed> $schema as json_decode() gives it, with arrays for objects */
    public static function of(array $schema): mixed
    {
        return (new self($schema))->value($schema, 0);
    }

    private function value(mixed $schema, int $depth): mixed
    {
        if (!is_array($schema) || $depth > self::DEEPEST) {
            return null;
        }
        $schema = $this->flat($schema, $depth);
        foreach (['const', 'default'] as $name) {
            if (array_key_exists($name, $schema)) {
                return $schema[$name];
            }
        }
        $named = $schema['enum'] ?? $schema['examples'] ?? [];

        return $named === [] ? $this->ofType(self::type($schema), $schema, $depth) : $named[0];
    }

    /**
     * With what it refers to, and the first of its alternatives.
     *
     * @param array<string, mixed> $schema
     *
     * @return array<string, mixed>
     */
    private function flat(array $schema, int $depth): array
    {
        $parts = [...(array) ($schema['allOf'] ?? []), $schema['anyOf'][0] ?? [], $schema['oneOf'][0] ?? []];
        if (is_string($schema['$ref'] ?? null)) {
            $parts[] = $this->referred($schema['$ref']);
        }
        unset($schema['allOf'], $schema['anyOf'], $schema['oneOf'], $schema['$ref']);
        foreach (array_filter($parts, static fn (mixed $part): bool => is_array($part) && $part !== []) as $part) {
            $part = $depth > self::DEEPEST ? [] : $this->flat($part, $depth + 1);
            $both = array_filter([
                'properties' => ($schema['properties'] ?? []) + ($part['properties'] ?? []),
                'required' => [...$schema['required'] ?? [], ...$part['required'] ?? []],
            ]);
            $schema = $both + $schema + $part;
        }

        return $schema;
    }

    private function referred(string $pointer): mixed
    {
        $place = $this->root;
        foreach (array_slice(explode('/', $pointer), 1) as $step) {
            $place = is_array($place) ? $place[strtr(rawurldecode($step), ['~1' => '/', '~0' => '~'])] ?? null : null;
        }

        return $place;
    }

    /** @param array<string, mixed> $schema */
    private function ofType(string $type, array $schema, int $depth): mixed
    {
        return match ($type) {
            'object' => $this->object($schema, $depth),
            'array' => $this->list($schema, $depth),
            'string' => self::text($schema),
            'integer' => (int) ceil(self::number($schema, 1)),
            'number' => self::number($schema, 0.5),
            'boolean' => true,
            default => null,
        };
    }

    /** @param array<string, mixed> $schema */
    private function object(array $schema, int $depth): \stdClass
    {
        $known = (array) ($schema['properties'] ?? []);
        $required = array_fill_keys((array) ($schema['required'] ?? []), []);
        $taken = $depth < self::DEPTH ? $known + $required : array_intersect_key($known, $required) + $required;
        $object = new \stdClass();
        foreach ($taken as $name => $property) {
            $object->{$name} = $this->value($property, $depth + 1);
        }

        return $object;
    }

    /**
     * @param array<string, mixed> $schema
     *
     * @return list<mixed>
     */
    private function list(array $schema, int $depth): array
    {
        $length = max($schema['minItems'] ?? 0, $depth < self::DEPTH ? min(1, $schema['maxItems'] ?? 1) : 0);
        $items = $schema['items'] ?? [];

        return array_map(fn (): mixed => $this->value($items, $depth + 1), array_fill(0, $length, null));
    }

    /** @param array<string, mixed> $schema */
    private static function text(array $schema): string
    {
        $text = self::FORMATS[$schema['format'] ?? ''] ?? 'text';
        $text = str_pad($text, $schema['minLength'] ?? 0, '.');

        return isset($schema['maxLength']) ? substr($text, 0, $schema['maxLength']) : $text;
    }

    /** @param array<string, mixed> $schema */
    private static function number(array $schema, float $step): int|float
    {
        $least = $schema['minimum']
            ?? (isset($schema['exclusiveMinimum']) ? $schema['exclusiveMinimum'] + $step : null);
        $most = $schema['maximum'] ?? (isset($schema['exclusiveMaximum']) ? $schema['exclusiveMaximum'] - $step : 0);
        $factor = $schema['multipleOf'] ?? null;
        $number = $least ?? min(0, $most);

        return $factor === null ? $number : ceil($number / $factor) * $factor;
    }

    /** @param array<string, mixed> $schema */
    private static function type(array $schema): string
    {
        $types = (array) ($schema['type'] ?? (isset($schema['properties']) ? 'object' : 'null'));
        $real = array_values(array_diff($types, ['null']));

        return $real[0] ?? 'null';
    }
}
