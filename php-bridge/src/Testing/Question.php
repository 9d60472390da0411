<?php

declare(strict_types=1);

namespace AgentWorkers\Testing;

use AgentWorkers\Decision;

/**
 * A tool call of a fake worker that waits for the application, and its answer.
 *
 * @internal
 */
final class Question
{
    public const APP_TOOL = 'app_tool_call';
    public const PERMISSION = 'permission_request';
    public const USER = 'question';
    private const NOBODY = 'Nobody answered.';
    private const PREFIXES = [self::APP_TOOL => 'call_', self::PERMISSION => 'permission_', self::USER => 'question_'];

    /** @var array<string, mixed>|null the control message that answered it */
    public ?array $answer = null;
    private string $number = '';

    /** @param array<string, mixed> $input */
    public function __construct(
        public readonly string $kind,
        public readonly string $name,
        public readonly array $input,
        private readonly ?string $effectKey = null,
    ) {
    }

    public function numbered(int $number): self
    {
        $question = clone $this;
        $question->number = (string) $number;

        return $question;
    }

    public function id(): string
    {
        return self::PREFIXES[$this->kind] . $this->number;
    }

    /** @return list<array<string, mixed>> events */
    public function put(): array
    {
        $isAppTool = $this->kind === self::APP_TOOL;
        $call = ['tool_use_id' => "toolu_$this->number", 'input' => (object) $this->input];
        $name = ['name' => $this->name];
        $id = $this->id();

        return [
            ['type' => 'tool_call', 'name' => $isAppTool ? "mcp__app__$this->name" : $this->name] + $call,
            ['type' => $this->kind, 'expires_at' => '9999-12-31T23:59:59.999Z'] + match ($this->kind) {
                self::APP_TOOL => ['call_id' => $id, 'effect_key' => $this->effectKey()] + $name + $call,
                self::PERMISSION => ['permission_id' => $id] + $name + $call,
                self::USER => ['question_id' => $id, 'questions' => $this->input['questions']] + $call,
            },
        ];
    }

    /**
     * @param list<array{question: string, options: list<array{label: string}>, multi: bool}> $questions
     */
    public static function toUser(array $questions): self
    {
        return new self(self::USER, 'AskUserQuestion', ['questions' => $questions]);
    }

    /** @return list<array<string, mixed>> events */
    public function settled(): array
    {
        $result = ['tool_use_id' => "toolu_$this->number", 'status' => $this->status(), 'content' => $this->text()];
        $by = ['by' => $this->answer === null ? 'timeout' : 'client'];
        $events = match ($this->kind) {
            self::APP_TOOL => [$result + array_intersect_key($this->answer ?? [], ['retryable' => 1, 'replayed' => 1])],
            self::PERMISSION => [['type' => 'permission_resolved', 'permission_id' => $this->id(),
                'behavior' => $this->answer['behavior'] ?? Decision::DENY] + $by + self::actor($this->answer), $result],
            self::USER => [['type' => 'question_resolved', 'question_id' => $this->id()] + $by
                + self::actor($this->answer), $result],
        };

        return array_map(static fn (array $event): array => $event + ['type' => 'tool_result'], $events);
    }

    /**
     * @param array<string, mixed>|null $control
     *
     * @return array<string, mixed>
     */
    public static function actor(?array $control): array
    {
        return array_intersect_key($control ?? [], ['actor' => true, 'signature' => true]);
    }

    private function effectKey(): string
    {
        return $this->effectKey ?? hash('sha256', $this->name . json_encode($this->input, JSON_THROW_ON_ERROR));
    }

    /** By the contract's names of what comes of a tool call. */
    public function status(): string
    {
        if ($this->kind === self::PERMISSION) {
            return ($this->answer['behavior'] ?? Decision::DENY) === Decision::ALLOW ? 'ok' : 'denied';
        }

        if ($this->kind === self::USER) {
            return 'ok';
        }

        return $this->answer === null || ($this->answer['is_error'] ?? false) ? 'error' : 'ok';
    }

    /** What the model is told. */
    public function text(): string
    {
        if ($this->kind === self::USER) {
            return $this->answer === null ? self::NOBODY : self::told($this->answer['answers']);
        }
        $content = $this->answer['content'] ?? $this->answer['message'] ?? '';

        return is_string($content) ? $content : implode("\n", array_column($content, 'text'));
    }

    /** @param array<array-key, string|list<string>> $answers */
    private static function told(array $answers): string
    {
        $line = static fn (int|string $question): string
            => "$question " . implode(', ', (array) $answers[$question]);

        return implode("\n", array_map($line, array_keys($answers)));
    }
}
