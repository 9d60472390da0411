<?php

declare(strict_types=1);

namespace AgentWorkers\Command;

use AgentWorkers\Exception\InvalidCommandException;

/**
 * Checks a value by the keywords of JSON Schema that tools use: types, enum, const, bounds, lengths, pattern, required,
 * properties, items, references within the schema, and combinations. Other keywords are not looked at.
 *
 * @internal
 */
final class SchemaCheck
{
    private const NAMES = [
        'string' => 'a text', 'integer' => 'a whole number', 'number' => 'a number', 'boolean' => 'true or false',
        'array' => 'a list', 'object' => 'a JSON object', 'null' => 'null',
    ];
    private const DEEPEST = 50;

    /** @param array<string, mixed> $root */
    public function __construct(private readonly array $root)
    {
    }

    public function fault(mixed $value): ?InvalidCommandException
    {
        return $this->check($value, $this->root, '', 0);
    }

    /**
     * @param array<string, mixed> $schema
     *
     * @return array<string, mixed> what its reference means
     */
    public function resolved(array $schema): array
    {
        for ($i = 0; isset($schema['$ref']) && is_string($schema['$ref']) && $i < self::DEEPEST; $i++) {
            $found = $this->root;
            foreach (array_filter(explode('/', ltrim($schema['$ref'], '#'))) as $step) {
                $key = str_replace(['~1', '~0'], ['/', '~'], rawurldecode($step));
                $found = is_array($found) ? $found[$key] ?? [] : [];
            }
            unset($schema['$ref']);
            $schema += is_array($found) ? $found : [];
        }

        return $schema;
    }

    public static function matches(string $pattern, string $text): bool
    {
        // One that PHP cannot read, fits.
        return @preg_match('~' . str_replace('~', '\\~', $pattern) . '~uD', $text) !== 0;
    }

    private function check(mixed $value, mixed $schema, string $path, int $depth): ?InvalidCommandException
    {
        if (!is_array($schema) || $depth > self::DEEPEST) {
            return $schema === false ? self::wrong($path, 'is not allowed') : null;
        }
        $schema = $this->resolved($schema);
        $types = array_filter((array) ($schema['type'] ?? []), is_string(...));
        if ($types !== [] && array_filter($types, static fn (string $type): bool => self::is($value, $type)) === []) {
            $names = array_map(static fn (string $type): string => self::NAMES[$type] ?? $type, $types);

            return self::wrong($path, 'must be ' . implode(' or ', $names) . self::found($value));
        }

        return $this->ofValues($value, $schema, $path)
            ?? match (true) {
                is_string($value) => $this->text($value, $schema, $path),
                is_int($value), is_float($value) => $this->number($value, $schema, $path),
                is_array($value) => $this->items($value, $schema, $path, $depth),
                $value instanceof \stdClass => $this->properties((array) $value, $schema, $path, $depth),
                default => null,
            }
            ?? $this->combined($value, $schema, $path, $depth);
    }

    /** @param array<string, mixed> $schema */
    private function ofValues(mixed $value, array $schema, string $path): ?InvalidCommandException
    {
        $plain = json_decode((string) json_encode($value), true);
        $allowed = array_key_exists('const', $schema) ? [$schema['const']] : $schema['enum'] ?? null;
        $isPlain = static fn (mixed $one): bool => self::same($one, $plain);
        if (!is_array($allowed) || array_filter($allowed, $isPlain) !== []) {
            return null;
        }
        $texts = array_values(array_filter($allowed, is_string(...)));
        $nearest = is_string($value) ? Nearest::to($value, $texts) : null;
        $list = implode(', ', array_map(static fn (mixed $one): string => self::shown($one), $allowed));

        return self::wrong($path, "must be one of $list" . self::found($value), $nearest);
    }

    /** @param array<string, mixed> $schema */
    private function text(string $value, array $schema, string $path): ?InvalidCommandException
    {
        $length = Utf8::length($value);

        return match (true) {
            $length < ($schema['minLength'] ?? 0)
                => self::wrong($path, "must have at least {$schema['minLength']} characters"),
            $length > ($schema['maxLength'] ?? INF)
                => self::wrong($path, "must have at most {$schema['maxLength']} characters"),
            isset($schema['pattern']) && !self::matches((string) $schema['pattern'], $value)
                => self::wrong($path, "must match {$schema['pattern']}" . self::found($value)),
            default => null,
        };
    }

    /** @param array<string, mixed> $schema */
    private function number(int|float $value, array $schema, string $path): ?InvalidCommandException
    {
        $step = $schema['multipleOf'] ?? null;

        return match (true) {
            $value < ($schema['minimum'] ?? -INF) => self::wrong($path, "must be at least {$schema['minimum']}"),
            $value > ($schema['maximum'] ?? INF) => self::wrong($path, "must be at most {$schema['maximum']}"),
            $value <= ($schema['exclusiveMinimum'] ?? -INF)
                => self::wrong($path, "must be more than {$schema['exclusiveMinimum']}"),
            $value >= ($schema['exclusiveMaximum'] ?? INF)
                => self::wrong($path, "must be less than {$schema['exclusiveMaximum']}"),
            $step !== null && $step > 0 && abs(round($value / $step) - $value / $step) > 1e-9
                => self::wrong($path, "must be a multiple of $step"),
            default => null,
        };
    }

    /**
     * @param list<mixed> $value
     * @param array<string, mixed> $schema
     */
    private function items(array $value, array $schema, string $path, int $depth): ?InvalidCommandException
    {
        $count = count($value);
        if ($count < ($schema['minItems'] ?? 0) || $count > ($schema['maxItems'] ?? INF)) {
            $bounds = array_filter([
                isset($schema['minItems']) ? "at least {$schema['minItems']}" : '',
                isset($schema['maxItems']) ? "at most {$schema['maxItems']}" : '',
            ]);

            return self::wrong($path, 'must have ' . implode(' and ', $bounds) . ' items');
        }
        $texts = array_map(static fn (mixed $item): string => (string) json_encode($item), $value);
        if (($schema['uniqueItems'] ?? false) === true && count(array_unique($texts)) < $count) {
            return self::wrong($path, 'must have no item twice');
        }
        foreach ($value as $number => $item) {
            $own = $schema['prefixItems'][$number] ?? $schema['items'] ?? true;
            $fault = $this->check($item, $own, "$path/$number", $depth + 1);
            if ($fault !== null) {
                return $fault;
            }
        }

        return null;
    }

    /**
     * @param array<array-key, mixed> $value
     * @param array<string, mixed> $schema
     */
    private function properties(array $value, array $schema, string $path, int $depth): ?InvalidCommandException
    {
        foreach ((array) ($schema['required'] ?? []) as $name) {
            if (!array_key_exists($name, $value)) {
                return self::wrong("$path/$name", 'is missing');
            }
        }
        $known = (array) ($schema['properties'] ?? []);
        foreach ($value as $name => $item) {
            $ownOnes = $this->ofPatterns((string) $name, $schema);
            if (array_key_exists($name, $known) || $ownOnes === []) {
                $ownOnes[] = $known[$name] ?? $schema['additionalProperties'] ?? true;
            }
            if (!isset($known[$name]) && $ownOnes === [false]) {
                return self::wrong("$path/$name", 'is not known', Nearest::to((string) $name, array_keys($known)));
            }
            foreach ($ownOnes as $own) {
                $fault = $this->check($item, $own, "$path/$name", $depth + 1);
                if ($fault !== null) {
                    return $fault;
                }
            }
        }

        return null;
    }

    /**
     * @param array<string, mixed> $schema
     *
     * @return list<mixed> the schemas of the patterns that the name fits
     */
    private function ofPatterns(string $name, array $schema): array
    {
        $fits = static fn (int|string $pattern): bool => self::matches((string) $pattern, $name);

        return array_values(array_filter((array) ($schema['patternProperties'] ?? []), $fits, ARRAY_FILTER_USE_KEY));
    }

    /** @param array<string, mixed> $schema */
    private function combined(mixed $value, array $schema, string $path, int $depth): ?InvalidCommandException
    {
        $try = fn (mixed $one): ?InvalidCommandException => $this->check($value, $one, $path, $depth + 1);
        foreach ((array) ($schema['allOf'] ?? []) as $one) {
            $fault = $try($one);
            if ($fault !== null) {
                return $fault;
            }
        }
        foreach (['anyOf' => PHP_INT_MAX, 'oneOf' => 1] as $keyword => $most) {
            $faults = array_map($try, (array) ($schema[$keyword] ?? []));
            $fitting = count($faults) - count(array_filter($faults));
            if ($faults !== [] && ($fitting === 0 || $fitting > $most)) {
                return $fitting === 0 && count($faults) === 1
                    ? $faults[0]
                    : self::wrong($path, 'has no form that is allowed');
            }
        }

        return isset($schema['not']) && $try($schema['not']) === null ? self::wrong($path, 'is not allowed') : null;
    }

    private static function is(mixed $value, string $type): bool
    {
        return match ($type) {
            'string' => is_string($value),
            'integer' => is_int($value) || is_float($value) && floor($value) === $value,
            'number' => is_int($value) || is_float($value),
            'boolean' => is_bool($value),
            'array' => is_array($value),
            'object' => $value instanceof \stdClass,
            'null' => $value === null,
            default => true,
        };
    }

    private static function same(mixed $one, mixed $two): bool
    {
        $areNumbers = (is_int($one) || is_float($one)) && (is_int($two) || is_float($two));

        return is_array($one) && is_array($two) || $areNumbers ? $one == $two : $one === $two;
    }

    private static function found(mixed $value): string
    {
        return is_scalar($value) || $value === null ? ', not ' . self::shown($value) : '';
    }

    private static function shown(mixed $value): string
    {
        $flags = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE;
        $json = (string) json_encode($value, $flags);

        $short = Utf8::cut($json, 60);

        return $short === $json ? $json : "$short…";
    }

    private static function wrong(string $path, string $what, ?string $nearest = null): InvalidCommandException
    {
        $name = str_replace('/', '.', ltrim($path, '/'));
        $subject = $name === '' ? 'The input' : "The argument \"$name\"";

        return new InvalidCommandException("$subject $what.", $path, $nearest);
    }
}
