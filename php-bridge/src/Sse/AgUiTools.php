<?php

declare(strict_types=1);

namespace AgentWorkers\Sse;

/**
 * Writes the tools of an AG-UI run: calls, their results, and the subagents that calls have started. What fits no call
 * that is open goes by the extension form.
 *
 * @internal
 */
final class AgUiTools
{
    private const OURS = 'agent-workers';

    /** The message that the next call belongs to. */
    public ?string $parent = null;
    /** @var array<array-key, array<string, string>> calls without a result, and whose they are */
    private array $calls = [];
    /** @var array<array-key, array{string, string}> of every call: what a subagent of it is named, and is to do */
    private array $kinds = [];
    /** @var array<array-key, bool> whether each is still at work */
    private array $subagents = [];

    /** @param \Closure(string): string $newId makes the id of a message, of this kind */
    public function __construct(private readonly \Closure $newId)
    {
    }

    /** Tells whether a `tool_call` begins a call. */
    public function isNew(RawEvent $event): bool
    {
        return $event->hasTexts('tool_use_id', 'name') && $event->value('input') instanceof \stdClass
            && !isset($this->kinds[$event->text('tool_use_id')]);
    }

    /** @return \Generator<int, array<string, mixed>> the events of a new call */
    public function call(RawEvent $event): \Generator
    {
        [$call, $name, $input] = [$event->text('tool_use_id'), $event->text('name'), $event->value('input')];
        $boss = $event->text('parent_tool_use_id');
        $whose = $boss === '' ? [] : ['subagentRunId' => $boss];
        if ($boss !== '') {
            yield from $this->subagent($boss);
        } else {
            $this->parent ??= ($this->newId)('calls');
        }
        $kind = RawEvent::textOf($input, 'subagent_type');
        $this->kinds[$call] = [$kind === '' ? $name : $kind, RawEvent::textOf($input, 'description')];
        $this->calls[$call] = $whose;
        $id = ['toolCallId' => $call];
        $parent = $boss === '' ? ['parentMessageId' => $this->parent] : [];
        $rest = self::with($event->own('tool_use_id', 'name', 'input', 'parent_tool_use_id'));
        yield ['type' => 'TOOL_CALL_START'] + $id + ['toolCallName' => $name] + $parent + $whose + $rest;
        yield ['type' => 'TOOL_CALL_ARGS'] + $id + ['delta' => JsonText::of($input)] + $whose;
        yield ['type' => 'TOOL_CALL_END'] + $id + $whose;
    }

    /** @return \Generator<int, array<string, mixed>> the events of a `tool_result` */
    public function result(RawEvent $event): \Generator
    {
        $call = $event->text('tool_use_id');
        if (!$event->hasTexts('tool_use_id', 'content') || !isset($this->calls[$call])) {
            yield self::extension($event);

            return;
        }
        $whose = $this->calls[$call];
        unset($this->calls[$call]);
        if ($this->subagents[$call] ?? false) {
            $this->subagents[$call] = false;
            yield ['type' => 'SUBAGENT_FINISHED', 'subagentRunId' => $call];
        }
        if ($whose === []) {
            $this->parent = null;
        }
        $rest = $event->own('tool_use_id', 'content', 'parent_tool_use_id');
        yield $this->answer($call, $event->text('content'), $whose, $rest);
    }

    /** @return array<string, mixed> how the run has ended: with a call that a later run decides, or without */
    public function defer(mixed $pending): array
    {
        $call = $pending instanceof \stdClass ? $pending->tool_use_id ?? null : null;
        if (!is_string($call)) {
            return ['type' => 'success'];
        }
        unset($this->calls[$call]);
        $interrupt = ['id' => $call, 'reason' => 'permission_required', 'toolCallId' => $call];

        return ['type' => 'interrupt', 'interrupts' => [$interrupt + self::with($pending)]];
    }

    /** @return \Generator<int, array<string, mixed>> ends the calls that have no result, and the subagents */
    public function leave(string $why = ChunkEncoder::RUN_ENDED): \Generator
    {
        foreach ($this->calls as $call => $whose) {
            yield $this->answer((string) $call, $why, $whose, (object) ['status' => 'error']);
        }
        foreach (array_keys($this->subagents, true, true) as $subagent) {
            $this->subagents[$subagent] = false;
            yield ['type' => 'SUBAGENT_FINISHED', 'subagentRunId' => (string) $subagent];
        }
        [$this->calls, $this->parent] = [[], null];
    }

    /** @return array<string, mixed> the event of what the protocol has no form for */
    public static function extension(RawEvent $event): array
    {
        return ['type' => 'CUSTOM', 'name' => $event->type, 'value' => $event->fields];
    }

    /** @return array<string, mixed> where fields without a place of their own stand in an event; nothing if there are none */
    public static function with(?\stdClass $rest): array
    {
        return $rest === null ? [] : ['metadata' => [self::OURS => $rest]];
    }

    /**
     * @param array<string, string> $whose
     *
     * @return array<string, mixed>
     */
    private function answer(string $call, string $content, array $whose, ?\stdClass $rest): array
    {
        return ['type' => 'TOOL_CALL_RESULT', 'messageId' => ($this->newId)('result'), 'toolCallId' => $call]
            + ['content' => $content, 'role' => 'tool'] + $whose + self::with($rest);
    }

    /** Announces the subagent that a call has started, once. */
    private function subagent(string $boss): \Generator
    {
        if (isset($this->subagents[$boss])) {
            return;
        }
        $this->subagents[$boss] = true;
        [$name, $description] = $this->kinds[$boss] ?? ['subagent', ''];
        $over = $this->calls[$boss]['subagentRunId'] ?? '';
        yield ['type' => 'SUBAGENT_STARTED', 'subagentRunId' => $boss, 'name' => $name]
            + ($description === '' ? [] : ['description' => $description])
            + ($over === '' ? [] : ['parentSubagentRunId' => $over])
            + ['parentToolCallId' => $boss];
    }
}
