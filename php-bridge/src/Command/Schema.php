<?php

declare(strict_types=1);

namespace AgentWorkers\Command;

use AgentWorkers\Exception\InvalidCommandException;

/**
 * The schema of a tool's input, as a person's arguments are read and checked by it.
 *
 * @internal
 */
final class Schema
{
    /** @param array<string, mixed> $schema */
    private function __construct(private readonly array $schema)
    {
    }

    /** @param array<string, mixed>|\stdClass $schema */
    public static function of(array|\stdClass $schema): self
    {
        return new self((array) json_decode((string) json_encode($schema), true));
    }

    /** @throws InvalidCommandException there is no such argument */
    public function knows(string $name): void
    {
        $more = $this->schema['additionalProperties'] ?? null;
        // By itself a schema takes any more properties. What a person writes is more likely a slip.
        if ($this->properties() === [] && $more !== false || $more === true || is_array($more)) {
            return;
        }
        if (!isset($this->properties()[$name]) && !$this->fitsAPattern($name)) {
            $known = array_map(strval(...), array_keys($this->properties()));
            $nearest = Nearest::to($name, $known);
            $list = $known === [] ? 'The tool takes none.' : 'Known: ' . implode(', ', $known) . '.';
            throw new InvalidCommandException(
                "There is no argument \"$name\"." . ($nearest === null ? " $list" : ''),
                "/$name",
                $nearest,
            );
        }
    }

    /** Makes a value out of what was typed. */
    public function typed(string $name, string $text, bool $isQuoted): mixed
    {
        return $this->read($name, $this->property($name), $text, $isQuoted);
    }

    public function isList(string $name): bool
    {
        return in_array('array', self::types($this->property($name)), true);
    }

    /** Whether the argument is a text and nothing else. */
    public function isText(string $name): bool
    {
        return self::types($this->property($name)) === ['string'];
    }

    /** @throws InvalidCommandException the input does not satisfy the schema */
    public function check(\stdClass $input): void
    {
        foreach (array_keys((array) $input) as $name) {
            $this->knows((string) $name);
        }
        $fault = (new SchemaCheck($this->schema))->fault($input);
        if ($fault !== null) {
            throw $fault;
        }
    }

    /** How arguments may be written. */
    public function sample(bool $asJson): string
    {
        $name = ((array) ($this->schema['required'] ?? []))[0] ?? array_key_first($this->properties()) ?? 'name';

        return $asJson ? "{\"$name\": …}" : "$name=…";
    }

    /** @param array<string, mixed> $schema */
    private function read(string $name, array $schema, string $text, bool $isQuoted): mixed
    {
        $types = self::types($schema);
        if ($types === []) {
            $value = $isQuoted ? null : json_decode($text);

            return $isQuoted || json_last_error() !== JSON_ERROR_NONE ? $text : $value;
        }
        foreach ($isQuoted && in_array('string', $types, true) ? ['string'] : $types as $type) {
            if ($type === 'array') {
                return $text === '' ? [] : [$this->read($name, (array) ($schema['items'] ?? []), $text, $isQuoted)];
            }
            $value = match (true) {
                $type === 'integer' && preg_match('/^[+-]?\d{1,18}$/D', $text) === 1 => (int) $text,
                $type === 'number' && is_numeric($text) && trim($text) === $text => $text + 0,
                $type === 'boolean' && in_array($text, ['true', 'false'], true) => $text === 'true',
                default => $text,
            };
            if ($type === 'null' && $text === 'null') {
                return null;
            }
            if ($value !== $text) {
                return $value;
            }
        }

        return $text; // the check names what is wrong with it
    }

    /** @return array<array-key, mixed> */
    private function properties(): array
    {
        return (array) ($this->schema['properties'] ?? []);
    }

    /** @return array<string, mixed> */
    private function property(string $name): array
    {
        $more = $this->schema['additionalProperties'] ?? [];
        $property = $this->properties()[$name] ?? (is_array($more) ? $more : []);

        return (new SchemaCheck($this->schema))->resolved(is_array($property) ? $property : []);
    }

    private function fitsAPattern(string $name): bool
    {
        foreach (array_keys((array) ($this->schema['patternProperties'] ?? [])) as $pattern) {
            if (SchemaCheck::matches((string) $pattern, $name)) {
                return true;
            }
        }

        return false;
    }

    /**
     * @param array<string, mixed> $schema
     *
     * @return list<string> the types that it allows, as far as it says, text last
     */
    private static function types(array $schema): array
    {
        $types = (array) ($schema['type'] ?? []);
        foreach ([...(array) ($schema['anyOf'] ?? []), ...(array) ($schema['oneOf'] ?? [])] as $choice) {
            $types = [...$types, ...(is_array($choice) ? self::types($choice) : [])];
        }
        foreach ($types === [] ? (array) ($schema['enum'] ?? []) : [] as $value) {
            $types[] = is_string($value) ? 'string' : 'other';
        }
        $types = array_values(array_unique(array_filter($types, is_string(...))));
        usort($types, static fn (string $one, string $two): int => ($one === 'string') <=> ($two === 'string'));

        return in_array('other', $types, true) ? [] : $types;
    }
}
