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

    /** @var array<string, mixed>|null the control message that answered it */
    public ?array $answer = null;
    private string $number = '';

    /** @param array<string, mixed> $input */
    public function __construct(
        public readonly string $kind,
        public readonly string $name,
        public readonly array $input,
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
        return ($this->kind === self::APP_TOOL ? 'call_' : 'permission_') . $this->number;
    }

    /** @return list<array<string, mixed>> events */
    public function put(): array
    {
        $isAppTool = $this->kind === self::APP_TOOL;
        $call = ['tool_use_id' => "toolu_$this->number", 'input' => (object) $this->input];

        return [
            ['type' => 'tool_call', 'name' => $isAppTool ? "mcp__app__$this->name" : $this->name] + $call,
            ['type' => $this->kind, 'name' => $this->name, 'expires_at' => '9999-12-31T23:59:59.999Z'] + ($isAppTool
                ? ['call_id' => $this->id(), 'input' => $call['input']]
                : ['permission_id' => $this->id()] + $call),
        ];
    }

    /** @return list<array<string, mixed>> events */
    public function settled(): array
    {
        $result = ['tool_use_id' => "toolu_$this->number", 'status' => $this->status(), 'content' => $this->text()];
        $events = [['type' => 'tool_result'] + $result];
        if ($this->kind === self::PERMISSION) {
            array_unshift($events, [
                'type' => 'permission_resolved',
                'permission_id' => $this->id(),
                'behavior' => $this->answer['behavior'] ?? Decision::DENY,
                'by' => $this->answer === null ? 'timeout' : 'client',
            ]);
        }

        return $events;
    }

    /** By the contract's names of what comes of a tool call. */
    public function status(): string
    {
        if ($this->kind === self::PERMISSION) {
            return ($this->answer['behavior'] ?? Decision::DENY) === Decision::ALLOW ? 'ok' : 'denied';
        }

        return $this->answer === null || ($this->answer['is_error'] ?? false) ? 'error' : 'ok';
    }

    /** What the model is told. */
    public function text(): string
    {
        $content = $this->answer['content'] ?? $this->answer['message'] ?? '';

        return is_string($content) ? $content : implode("\n", array_column($content, 'text'));
    }
}
