<?php

declare(strict_types=1);

namespace AgentWorkers;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Process\Credential;

/**
 * Says what a run shall do. Immutable: each method returns a changed copy. The worker checks it; if it refuses it,
 * `ErrorEvent::$details` lists every fault.
 */
final class Request implements \JsonSerializable
{
    /** What a worker takes where a request has no `limits.timeout_s`. */
    private const DEFAULT_TIMEOUT_S = 300.0;
    /** Fields that are objects in JSON, also when they are empty. */
    private const OBJECTS = [
        'session', 'limits', 'stream', 'output_schema', 'metadata', 'input_schema', 'permissions', 'decision',
        'updated_input', 'mcp_servers', 'agents', 'env', 'headers', 'input', 'answers',
    ];
    /** Fields that hold such objects: in a list, or by name. */
    private const COLLECTIONS = ['app_tools', 'mcp_servers', 'agents'];
    private const ECHOED = ['metadata' => true, 'subject' => true, 'user' => true, 'goal' => true];
    private const ASK_USER = 'AskUserQuestion';
    private const SCHEMAS = ['output_schema', 'input_schema'];
    private const SCHEMA_OBJECTS = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'];

    /**
     * @param array<string, mixed> $fields
     * @param array<string, \Closure> $handlers
     */
    private function __construct(
        private readonly array $fields,
        private readonly array $handlers = [],
        private readonly ?Credential $credential = null,
    ) {
    }

    /** @param string|list<array<string, mixed>> $prompt text, or content blocks */
    public static function prompt(string|array $prompt): self
    {
        return new self(['prompt' => $prompt]);
    }

    /**
     * A skill, run by agent-skill: it brings the instructions and the form of the answer, which is `Done::$output`.
     *
     * @param array<string, mixed>|\stdClass $input satisfies the skill's input schema. Within it an empty array is a
     *     list in JSON: write an empty object as `new \stdClass()`
     */
    public static function skill(string $name, array|\stdClass $input): self
    {
        return new self(['skill' => $name, 'input' => $input]);
    }

    /** @param array<string, mixed> $fields by the contract's names */
    public static function fromArray(array $fields): self
    {
        return new self($fields);
    }

    /** @throws InvalidArgumentException it is not a JSON object */
    public static function fromJson(string $json): self
    {
        $fields = json_decode($json);
        if (!$fields instanceof \stdClass) {
            throw new InvalidArgumentException(
                'The request is not a JSON object. Pass one, such as {"prompt": "Hello"}.',
            );
        }

        return new self((array) $fields);
    }

    /** Sets a field by its name in the contract. */
    public function with(string $field, mixed $value): self
    {
        return $this->copy([$field => $value] + $this->fields);
    }

    /** Sets the run's id: 1 to 128 of `A-Z a-z 0-9 . _ : -`. Without it, the run gets a new UUID. */
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

    /** What runs it: agent, or messages, the plain Messages API for what needs no tools but the application's. */
    public function engine(string $engine): self
    {
        return $this->with('engine', $engine);
    }

    /** How many tokens one answer of the model may have; of the engine messages only. */
    public function maxTokens(int $tokens): self
    {
        return $this->with('max_tokens', $tokens);
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

    /** `resume` continues a session, with `fork` in a copy; `id` begins one under a UUID of your choice. */
    public function session(?string $resume = null, bool $fork = false, ?string $id = null): self
    {
        if (($resume === null) === ($id === null)) {
            throw new InvalidArgumentException(
                'session() takes either resume, which continues a session, or id, which begins one. Pass one of them.',
            );
        }

        $resumed = ['resume' => $resume] + ($fork ? ['fork' => true] : []);

        return $this->with('session', $id === null ? $resumed : ['id' => $id]);
    }

    /** Sets the session's owner, such as a user's id: only a request with the same owner may resume it. */
    public function sessionOwner(string $owner): self
    {
        return $this->with('session_owner', $owner);
    }

    /** Arguments that are null leave their fields as they are. */
    public function limits(
        ?float $timeoutS = null,
        ?float $idleTimeoutS = null,
        ?float $maxBudgetUsd = null,
        ?float $questionTimeoutS = null,
    ): self {
        return $this->merge('limits', [
            'timeout_s' => $timeoutS,
            'idle_timeout_s' => $idleTimeoutS,
            'max_budget_usd' => $maxBudgetUsd,
            'question_timeout_s' => $questionTimeoutS,
        ]);
    }

    /** Arguments that are null leave their fields as they are. */
    public function stream(?bool $partial = null, ?float $pingS = null, ?bool $toolOutput = null): self
    {
        return $this->merge('stream', ['partial' => $partial, 'ping_s' => $pingS, 'tool_output' => $toolOutput]);
    }

    /** Whether to send what tools print while they run, as `tool_output` events. */
    public function toolOutput(bool $show = true): self
    {
        return $this->stream(toolOutput: $show);
    }

    /** @internal */
    public function wantsToolOutput(): bool
    {
        return (((array) $this->get('stream'))['tool_output'] ?? false) === true;
    }

    /** Lets the agent ask the user: adds the tool AskUserQuestion. Run::onQuestion() or Run::answer() answers. */
    public function questions(?float $timeoutS = null): self
    {
        $tools = array_unique([...(array) ($this->get('tools') ?? []), self::ASK_USER]);

        return $this->with('tools', array_values($tools))->limits(questionTimeoutS: $timeoutS);
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

    /** What the run is about, among your own things, such as ('partner', '417'). Echoed like metadata(). */
    public function subject(string $type, string|int $id): self
    {
        return $this->with('subject', ['type' => $type, 'id' => (string) $id]);
    }

    /** For whom you run it, such as the id of a user. Echoed like metadata(). */
    public function user(string $user): self
    {
        return $this->with('user', $user);
    }

    /** What the run is meant to achieve. Echoed like metadata(); of a skill's request the model sees it, as data. */
    public function goal(string $goal): self
    {
        return $this->with('goal', $goal);
    }

    /** The W3C trace context that the run belongs to, such as the `traceparent` of the application's own request. */
    public function traceparent(string $traceparent): self
    {
        return $this->with('traceparent', $traceparent);
    }

    /**
     * Adds a tool that the application runs. The handler runs it here; without one, answer `app_tool_call` yourself.
     *
     * @param array<string, mixed>|\stdClass $inputSchema JSON Schema with `"type": "object"`
     * @param (\Closure(array<string, mixed>): mixed)|null $handler see AppTool::handle(); it is no part of the JSON
     * @param float|null $timeoutS seconds after which a call fails; 60 if null
     */
    public function appTool(
        string $name,
        string $description,
        array|\stdClass $inputSchema,
        ?\Closure $handler = null,
        ?float $timeoutS = null,
    ): self {
        $tool = ['name' => $name, 'description' => $description, 'input_schema' => $inputSchema];
        $tools = [...$this->fields['app_tools'] ?? [], $tool + ($timeoutS === null ? [] : ['timeout_s' => $timeoutS])];
        $handlers = $handler === null ? $this->handlers : [$name => $handler] + $this->handlers;

        return new self(['app_tools' => $tools] + $this->fields, $handlers, $this->credential ?? null);
    }

    /** Adds tools that the application runs here. */
    public function appTools(AppTool ...$tools): self
    {
        $request = $this;
        foreach ($tools as $tool) {
            $handler = $tool->handle(...);
            $request = $request->appTool($tool->name(), $tool->description(), $tool->schema(), $handler);
        }

        return $request;
    }

    /** The directory in which the agent of a task works, absolute. */
    public function cwd(string $directory): self
    {
        return $this->with('cwd', $directory);
    }

    /** @param list<string> $directories in which the agent may work, too */
    public function addDirs(array $directories): self
    {
        return $this->with('add_dirs', $directories);
    }

    /** @param list<string> $names the tools that the agent of a task has, such as Read, Bash, mcp__crm__find */
    public function tools(array $names): self
    {
        return $this->with('tools', $names);
    }

    /**
     * Sets what the agent of a task may do. Arguments that are null leave their fields as they are.
     *
     * @param string|null $mode what happens to a call that no rule covers: deny, ask, defer, accept_edits, plan
     * @param list<string>|null $allow rules such as `WebSearch`, `Bash(git status)`, `mcp__crm__find`
     * @param list<string>|null $deny rules that come before all others
     * @param float|null $timeoutS seconds after which a question without an answer is denied
     */
    public function permissions(
        ?string $mode = null,
        ?array $allow = null,
        ?array $deny = null,
        ?float $timeoutS = null,
    ): self {
        return $this->merge('permissions', [
            'mode' => $mode,
            'allow' => $allow,
            'deny' => $deny,
            'timeout_s' => $timeoutS,
        ]);
    }

    /** Answers the call that an earlier run of this session, in mode defer, left in `Done::$pending`. */
    public function decision(string $toolUseId, Decision $decision): self
    {
        return $this->merge('permissions', [
            'mode' => 'defer',
            'decision' => ['tool_use_id' => $toolUseId] + $decision->fields(),
        ]);
    }

    /** @param array<string, array<string, mixed>> $servers MCP servers by name */
    public function mcpServers(array $servers): self
    {
        return $this->with('mcp_servers', $servers);
    }

    /** @param array<string, array<string, mixed>> $agents subagents by name */
    public function agents(array $agents): self
    {
        return $this->with('agents', $agents);
    }

    /**
     * Resumes a session that this engine began: no other can.
     *
     * @internal
     */
    public function resumedBy(string $engine, string $session): self
    {
        $taken = $engine === 'messages' ? $this->fields : array_diff_key($this->fields, ['max_tokens' => true]);

        return $this->copy(['engine' => $engine] + $taken)->session(resume: $session);
    }

    /**
     * Sets the key for the API that this run uses, and no other: an API key, or a token of a login (`sk-ant-oat…`). It
     * is no part of the JSON, and no dump or log shows it.
     *
     * @throws InvalidArgumentException it is empty, or not one line
     */
    public function credential(#[\SensitiveParameter] string $key): self
    {
        $key = trim($key);
        if ($key === '' || strpbrk($key, "\r\n") !== false) {
            throw new InvalidArgumentException('The credential is empty, or has several lines. Pass the key alone.');
        }

        return new self($this->fields, $this->handlers, new Credential($key));
    }

    /** Whether the run uses a key of its own. */
    public function hasCredential(): bool
    {
        return ($this->credential ?? null) !== null;
    }

    /**
     * The key that the worker is to be handed; null where it uses the host's, or was handed it already.
     *
     * @internal
     */
    public function ownCredential(): ?string
    {
        return ($this->credential ?? null)?->key();
    }

    /**
     * What is left when the key is handed over.
     *
     * @internal
     */
    public function withoutCredential(): self
    {
        return $this->ownCredential() === null
            ? $this
            : new self($this->fields, $this->handlers, new Credential(null));
    }

    /**
     * @internal
     *
     * @param array<string, \Closure> $handlers of tools that it has, by name
     */
    public function handledBy(array $handlers): self
    {
        return new self($this->fields, $handlers + $this->handlers, $this->credential ?? null);
    }

    /** @return array<string, \Closure> handlers of the application's tools, by name */
    public function handlers(): array
    {
        return $this->handlers;
    }

    public function get(string $field): mixed
    {
        return $this->fields[$field] ?? null;
    }

    /**
     * How many seconds the run may take. A skill has a limit of its own, which is not known here.
     *
     * @internal
     */
    public function timeoutS(): float
    {
        $timeout = ((array) $this->get('limits'))['timeout_s'] ?? null;
        $usual = $this->get('skill') === null ? self::DEFAULT_TIMEOUT_S : INF;

        return is_int($timeout) || is_float($timeout) ? (float) $timeout : $usual;
    }

    /**
     * What the first and the last event repeat.
     *
     * @internal
     *
     * @return array<string, mixed> as JSON has it
     */
    public function echoed(): array
    {
        return array_intersect_key((array) $this->jsonSerialize(), self::ECHOED);
    }

    /**
     * Returns what `start` alone repeats of it.
     *
     * @return array<string, mixed>
     */
    public function echoedAtStart(): array
    {
        $attempt = $this->get('attempt');

        return array_filter([
            'attempt' => is_int($attempt) && $attempt > 1 ? $attempt : null,
            'traceparent' => $this->get('traceparent'),
        ]);
    }

    /** Returns the prompt's text, without images and documents. */
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
     * Returns the request as one line of ASCII.
     *
     * @throws InvalidArgumentException a value cannot be written as JSON
     */
    public function toJson(): string
    {
        try {
            return json_encode($this, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES);
        } catch (\JsonException $error) {
            $message = 'The request cannot be written as JSON: ' . $error->getMessage();
            throw new InvalidArgumentException($message, 0, $error);
        }
    }

    public function jsonSerialize(): \stdClass
    {
        return (object) self::withObjects($this->fields);
    }

    /** @param array<string, mixed> $fields */
    private function copy(array $fields): self
    {
        return new self($fields, $this->handlers, $this->credential ?? null); // one of an older version has none
    }

    /** @param array<string, mixed> $values */
    private function merge(string $field, array $values): self
    {
        $given = array_filter($values, static fn (mixed $value): bool => $value !== null);

        return $this->with($field, $given + (array) $this->get($field));
    }

    /**
     * Replaces empty arrays where the contract or JSON Schema wants an object: PHP would write them as `[]`.
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
                $fields[$name] = match (true) {
                    in_array($name, self::SCHEMAS, true) => self::withSchemaObjects($value),
                    in_array($name, self::COLLECTIONS, true) => array_map(
                        static fn (mixed $item): mixed => is_array($item) ? self::withObjects($item) : $item,
                        $value,
                    ),
                    in_array($name, ['permissions', 'decision'], true) => self::withObjects($value),
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
