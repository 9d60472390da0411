<?php

declare(strict_types=1);

namespace AgentWorkers;

use AgentWorkers\Exception\InvalidArgumentException;

/**
 * What one run is asked to do. Immutable: each method returns a changed copy. The worker checks it, and refuses a
 * faulty one with every problem at once in `ErrorEvent::$details`.
 */
final class Request implements \JsonSerializable
{
    /** Fields that are objects in JSON, also when they are empty. */
    private const OBJECTS = ['session', 'limits', 'stream', 'output_schema', 'metadata', 'input_schema'];
    private const SCHEMA_OBJECTS = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'];

    /** @param array<string, mixed> $fields */
    private function __construct(private readonly array $fields)
    {
    }

    /** @param string|list<array<string, mixed>> $prompt text, or content blocks */
    public static function prompt(string|array $prompt): self
    {
        return new self(['prompt' => $prompt]);
    }

    /** @param array<string, mixed> $fields by the contract's names */
    public static function fromArray(array $fields): self
    {
        return new self($fields);
    }

    /** @throws InvalidArgumentException it is no JSON object */
    public static function fromJson(string $json): self
    {
        $fields = json_decode($json);
        if (!$fields instanceof \stdClass) {
            throw new InvalidArgumentException('A request must be a JSON object.');
        }

        return new self((array) $fields);
    }

    /** Any field of the contract, by its name there. */
    public function with(string $field, mixed $value): self
    {
        return new self([$field => $value] + $this->fields);
    }

    /** The run's id, 1 to 128 of `A-Z a-z 0-9 . _ : -`. A new UUID unless it is set. */
    public function run(string $id): self
    {
        return $this->with('run', $id);
    }

    public function systemPrompt(string $prompt): self
    {
        return $this->with('system_prompt', $prompt);
    }

    public function model(string $model, ?string $fallback = null): self
    {
        $request = $this->with('model', $model);

        return $fallback === null ? $request : $request->with('fallback_model', $fallback);
    }

    public function maxTurns(int $turns): self
    {
        return $this->with('max_turns', $turns);
    }

    /** Whether to send the model's thinking. */
    public function thinking(bool $show = true): self
    {
        return $this->with('thinking', $show);
    }

    /** `resume` continues a conversation, with `fork` in a copy; `id` begins one under a UUID of your choice. */
    public function session(?string $resume = null, bool $fork = false, ?string $id = null): self
    {
        if (($resume === null) === ($id === null)) {
            throw new InvalidArgumentException('A session has either resume or id.');
        }

        $resumed = ['resume' => $resume] + ($fork ? ['fork' => true] : []);

        return $this->with('session', $id === null ? $resumed : ['id' => $id]);
    }

    /** What is null keeps its value. */
    public function limits(?float $timeoutS = null, ?float $idleTimeoutS = null, ?float $maxBudgetUsd = null): self
    {
        return $this->merge('limits', [
            'timeout_s' => $timeoutS,
            'idle_timeout_s' => $idleTimeoutS,
            'max_budget_usd' => $maxBudgetUsd,
        ]);
    }

    /** What is null keeps its value. */
    public function stream(?bool $partial = null, ?float $pingS = null): self
    {
        return $this->merge('stream', ['partial' => $partial, 'ping_s' => $pingS]);
    }

    /** @param array<string, mixed>|\stdClass $schema JSON Schema that `Done::$output` will satisfy */
    public function outputSchema(array|\stdClass $schema): self
    {
        return $this->with('output_schema', $schema);
    }

    /** @param array<string, mixed>|\stdClass $metadata echoed in `start` and the terminal event, not shown to the model */
    public function metadata(array|\stdClass $metadata): self
    {
        return $this->with('metadata', $metadata);
    }

    /**
     * Adds a tool that the application runs itself.
     *
     * @param array<string, mixed>|\stdClass $inputSchema JSON Schema with `"type": "object"`
     */
    public function appTool(string $name, string $description, array|\stdClass $inputSchema): self
    {
        $tool = ['name' => $name, 'description' => $description, 'input_schema' => $inputSchema];

        return $this->with('app_tools', [...$this->fields['app_tools'] ?? [], $tool]);
    }

    public function get(string $field): mixed
    {
        return $this->fields[$field] ?? null;
    }

    /** The prompt's text, without its images and documents. */
    public function promptText(): string
    {
        $prompt = $this->get('prompt') ?? '';

        return is_string($prompt) ? $prompt : implode("\n", array_column((array) $prompt, 'text'));
    }

    /** @return array<string, mixed> by the contract's names */
    public function toArray(): array
    {
        return $this->fields;
    }

    /**
     * One line of ASCII.
     *
     * @throws InvalidArgumentException a value has no form in JSON
     */
    public function toJson(): string
    {
        try {
            return json_encode($this, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES);
        } catch (\JsonException $error) {
            throw new InvalidArgumentException('The request cannot be encoded: ' . $error->getMessage(), 0, $error);
        }
    }

    public function jsonSerialize(): \stdClass
    {
        return (object) self::withObjects($this->fields);
    }

    /** @param array<string, mixed> $values */
    private function merge(string $field, array $values): self
    {
        $given = array_filter($values, static fn (mixed $value): bool => $value !== null);

        return $this->with($field, $given + (array) $this->get($field));
    }

    /**
     * PHP writes an empty array as `[]`; where the contract or JSON Schema wants an object, that is `{}`.
     *
     * @param array<array-key, mixed> $fields
     *
     * @return array<array-key, mixed>
     */
    private static function withObjects(array $fields): array
    {
        foreach ($fields as $name => $value) {
            if ($value === [] && in_array($name, self::OBJECTS, true)) {
                $fields[$name] = new \stdClass();
            } elseif (is_array($value)) {
                $isSchema = in_array($name, ['output_schema', 'input_schema'], true);
                $fields[$name] = match (true) {
                    $isSchema => self::withSchemaObjects($value),
                    $name === 'app_tools' => array_map(
                        static fn (mixed $tool): mixed => is_array($tool) ? self::withObjects($tool) : $tool,
                        $value,
                    ),
                    default => $value,
                };
            }
        }

        return $fields;
    }

    /**
     * @param array<array-key, mixed> $schema
     *
     * @return array<array-key, mixed>
     */
    private static function withSchemaObjects(array $schema): array
    {
        foreach ($schema as $name => $value) {
            if ($value === [] && in_array($name, self::SCHEMA_OBJECTS, true)) {
                $schema[$name] = new \stdClass();
            } elseif (is_array($value)) {
                $schema[$name] = self::withSchemaObjects($value);
            }
        }

        return $schema;
    }
}
