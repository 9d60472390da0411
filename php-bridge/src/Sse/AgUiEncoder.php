<?php

declare(strict_types=1);

namespace AgentWorkers\Sse;

/**
 * Writes one run in AG-UI 1.0, the Agent-User Interaction Protocol.
 *
 * Its extension form is a `CUSTOM` event named for the type, with the whole event as its value. Fields that AG-UI has
 * no place for are in `metadata`, under `agent-workers`. `RUN_STARTED` names the thread, which is the session unless
 * the caller knows better; therefore it waits for `session`, or whatever else comes.
 */
final class AgUiEncoder extends ChunkEncoder
{
    private const OURS = 'agent-workers';
    private const PROTOCOL = '1.0';
    private const TEXT = 'TEXT_MESSAGE';
    private const REASONING = 'REASONING_MESSAGE';
    private const ROLES = [self::TEXT => 'assistant', self::REASONING => 'reasoning'];

    private ?RawEvent $first = null;
    private bool $isBegun = false;
    private ?string $model = null;
    /** @var array{string, int}|null what is being said: kind and block */
    private ?array $open = null;
    private string $message = '';
    /** @var array<int, list<string>> the ids of messages by block */
    private array $messages = [];
    private int $count = 0;
    /** The message that the next call belongs to. */
    private ?string $parent = null;
    /** @var array<array-key, array<string, string>> calls without a result, and whose they are */
    private array $calls = [];
    /** @var array<array-key, array{string, \stdClass}> name and input of every call */
    private array $names = [];
    /** @var array<array-key, bool> whether each is still at work */
    private array $subagents = [];

    /**
     * @param string|null $thread id of the thread, as the client named it
     * @param string|null $run id of the run, as the client named it
     */
    public function __construct(private ?string $thread = null, private ?string $run = null)
    {
    }

    protected function chunks(RawEvent $event): iterable
    {
        if (!$this->isBegun && $event->type === 'start' && $this->first === null) {
            $this->first = $event;

            return;
        }
        if (!$this->isBegun) {
            $this->isBegun = true;
            yield $this->started($event, $event->type === 'session' ? $event : null);
            if ($event->type === 'session') {
                return;
            }
        }
        yield from match ($event->type) {
            'delta' => $this->speak(self::TEXT, $event),
            'thinking' => $this->speak(self::REASONING, $event),
            'tool_call' => $this->call($event),
            'tool_result' => $this->result($event),
            'discard' => $this->takeBack($event),
            'done' => $this->done($event),
            'error' => $this->error($event),
            'aborted' => $this->aborted($event),
            default => [self::extension($event)],
        };
    }

    // The run

    /** @return array<string, mixed> */
    private function started(RawEvent $event, ?RawEvent $session): array
    {
        $this->run = ($this->run ?? '') === '' ? $event->run : $this->run;
        if (($this->thread ?? '') === '') {
            $id = $session?->text('session_id') ?? '';
            $this->thread = $id === '' ? $event->run : $id;
        }
        $model = $session?->text('model') ?? '';
        $this->model = $model === '' ? null : $model;
        $known = array_replace((array) $this->first?->own(), (array) $session?->own());

        return ['type' => 'RUN_STARTED'] + $this->ids() + ['protocolVersion' => self::PROTOCOL]
            + self::with($known === [] ? null : (object) $known);
    }

    /** @return array<string, mixed> */
    private function ids(): array
    {
        return ['threadId' => $this->thread, 'runId' => $this->run];
    }

    private function done(RawEvent $event): \Generator
    {
        if ($this->said === [] && $event->text('text') !== '') {
            yield from $this->say(self::TEXT, -1, $event->text('text'), []);
        }
        $outcome = ['type' => 'success'];
        $pending = $event->value('pending');
        $call = $pending instanceof \stdClass ? $pending->tool_use_id ?? null : null;
        if (is_string($call)) {
            unset($this->calls[$call]);
            $interrupt = ['id' => $call, 'reason' => 'permission_required', 'toolCallId' => $call];
            $interrupt += self::with($pending);
            $outcome = ['type' => 'interrupt', 'interrupts' => [$interrupt]];
        }
        yield from $this->closeAll();
        $output = $event->value('output');
        yield ['type' => 'RUN_FINISHED'] + $this->ids() + ($output === null ? [] : ['result' => $output])
            + ['outcome' => $outcome] + $this->usage($event) + self::with($event->own('text', 'output'));
    }

    private function error(RawEvent $event): \Generator
    {
        yield from $this->closeAll();
        yield ['type' => 'RUN_ERROR', 'message' => $event->text('message'), 'code' => $event->text('code')]
            + $this->usage($event) + self::with($event->own('message', 'code'));
    }

    private function aborted(RawEvent $event): \Generator
    {
        yield from $this->closeAll();
        yield ['type' => 'RUN_FINISHED'] + $this->ids() + ['outcome' => ['type' => 'cancelled']]
            + $this->usage($event) + self::with($event->own());
    }

    /** @return array<string, mixed> */
    private function usage(RawEvent $event): array
    {
        $usage = AgUiUsage::of($event->value('usage'), $event->value('models'), $this->model);

        return $usage === [] ? [] : ['usage' => $usage];
    }

    private function closeAll(): \Generator
    {
        yield from $this->close();
        foreach ($this->calls as $call => $whose) {
            yield $this->answer((string) $call, self::RUN_ENDED, $whose, (object) ['status' => 'error']);
        }
        foreach (array_keys($this->subagents, true, true) as $subagent) {
            yield ['type' => 'SUBAGENT_FINISHED', 'subagentRunId' => (string) $subagent];
        }
    }

    // Text

    private function speak(string $kind, RawEvent $event): iterable
    {
        [$text, $block] = [$event->value('text'), $event->value('block')];

        return is_string($text) && is_int($block)
            ? $this->say($kind, $block, $text, self::with($event->own('text', 'block')))
            : [self::extension($event)];
    }

    /** @param array<string, mixed> $rest */
    private function say(string $kind, int $block, string $text, array $rest): \Generator
    {
        if ($text === '' && $rest === []) {
            return;
        }
        if ($this->open !== [$kind, $block]) {
            yield from $this->close();
            $this->open = [$kind, $block];
            $this->message = $this->id($kind === self::TEXT ? 'text' : 'reasoning');
            $this->messages[$block][] = $this->message;
            if ($kind === self::TEXT) {
                $this->parent = $this->message;
            } else {
                yield ['type' => 'REASONING_START', 'messageId' => $this->message];
            }
            yield ['type' => "{$kind}_START", 'messageId' => $this->message, 'role' => self::ROLES[$kind]];
        }
        if ($kind === self::TEXT) {
            $this->said[$block] = true;
        }
        yield ['type' => "{$kind}_CONTENT", 'messageId' => $this->message, 'delta' => $text] + $rest;
    }

    private function close(): \Generator
    {
        if ($this->open !== null) {
            yield ['type' => $this->open[0] . '_END', 'messageId' => $this->message];
            if ($this->open[0] === self::REASONING) {
                yield ['type' => 'REASONING_END', 'messageId' => $this->message];
            }
        }
        $this->open = null;
    }

    private function takeBack(RawEvent $event): \Generator
    {
        $blocks = $event->blocks();
        $this->said = array_diff_key($this->said, array_fill_keys($blocks, true));
        if ($this->open !== null && in_array($this->open[1], $blocks, true)) {
            yield from $this->close();
        }
        $taken = [];
        foreach ($blocks as $block) {
            $taken = [...$taken, ...$this->messages[$block] ?? []];
            unset($this->messages[$block]);
        }
        if (in_array($this->parent, $taken, true)) {
            $this->parent = null;
        }
        yield self::extension($event) + self::with((object) ['message_ids' => $taken]);
    }

    // Tools

    private function call(RawEvent $event): \Generator
    {
        [$call, $name, $input] = [$event->text('tool_use_id'), $event->text('name'), $event->value('input')];
        $isWhole = $event->hasTexts('tool_use_id', 'name') && $input instanceof \stdClass;
        if (!$isWhole || isset($this->calls[$call])) {
            yield self::extension($event);

            return;
        }
        yield from $this->close();
        $boss = $event->text('parent_tool_use_id');
        $whose = $boss === '' ? [] : ['subagentRunId' => $boss];
        if ($boss !== '') {
            yield from $this->subagent($boss);
        } else {
            $this->parent ??= $this->id('calls');
        }
        $this->names[$call] = [$name, $input];
        $this->calls[$call] = $whose;
        $id = ['toolCallId' => $call];
        $parent = $boss === '' ? ['parentMessageId' => $this->parent] : [];
        $rest = self::with($event->own('tool_use_id', 'name', 'input', 'parent_tool_use_id'));
        yield ['type' => 'TOOL_CALL_START'] + $id + ['toolCallName' => $name] + $parent + $whose + $rest;
        yield ['type' => 'TOOL_CALL_ARGS'] + $id + ['delta' => JsonText::of($input)] + $whose;
        yield ['type' => 'TOOL_CALL_END'] + $id + $whose;
    }

    private function result(RawEvent $event): \Generator
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

    /**
     * @param array<string, string> $whose
     *
     * @return array<string, mixed>
     */
    private function answer(string $call, string $content, array $whose, ?\stdClass $rest): array
    {
        return ['type' => 'TOOL_CALL_RESULT', 'messageId' => $this->id('result'), 'toolCallId' => $call]
            + ['content' => $content, 'role' => 'tool'] + $whose + self::with($rest);
    }

    /** Announces the subagent that a call has started, once. */
    private function subagent(string $boss): \Generator
    {
        if (isset($this->subagents[$boss])) {
            return;
        }
        $this->subagents[$boss] = true;
        [$name, $input] = $this->names[$boss] ?? ['subagent', null];
        $kind = RawEvent::textOf($input, 'subagent_type');
        $description = RawEvent::textOf($input, 'description');
        $over = $this->calls[$boss]['subagentRunId'] ?? '';
        yield ['type' => 'SUBAGENT_STARTED', 'subagentRunId' => $boss, 'name' => $kind === '' ? $name : $kind]
            + ($description === '' ? [] : ['description' => $description])
            + ($over === '' ? [] : ['parentSubagentRunId' => $over])
            + ['parentToolCallId' => $boss];
    }

    // What the protocol has no form for

    /** @return array<string, mixed> */
    private static function extension(RawEvent $event): array
    {
        return ['type' => 'CUSTOM', 'name' => $event->type, 'value' => $event->fields];
    }

    private function id(string $kind): string
    {
        return "$this->run:$kind-" . ++$this->count;
    }

    /** @return array<string, mixed> */
    private static function with(?\stdClass $rest): array
    {
        return $rest === null ? [] : ['metadata' => [self::OURS => $rest]];
    }
}
