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
    /** @var list<string> the ids of all messages of this attempt */
    private array $told = [];
    private readonly AgUiTools $tools;

    /**
     * @param string|null $thread id of the thread, as the client named it
     * @param string|null $run id of the run, as the client named it
     */
    public function __construct(private ?string $thread = null, private ?string $run = null)
    {
        $this->tools = new AgUiTools($this->id(...));
    }

    protected function chunks(RawEvent $event): iterable
    {
        if (!$this->isBegun && $event->type === 'start' && ($this->first === null || self::beginsAnew($event))) {
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
            'start' => $this->beginAnew($event),
            'session' => $this->resume($event),
            'delta' => $this->speak(self::TEXT, $event),
            'thinking' => $this->speak(self::REASONING, $event),
            'tool_call' => $this->call($event),
            'tool_result' => $this->tools->result($event),
            'discard' => $this->takeBack($event),
            'done' => $this->done($event),
            'error' => $this->error($event),
            'aborted' => $this->aborted($event),
            default => [AgUiTools::extension($event)],
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
            + AgUiTools::with($known === [] ? null : (object) $known);
    }

    /** Ends all that is open, and names the messages to drop: the run begins again in the midst of its stream. */
    private function beginAnew(RawEvent $event): \Generator
    {
        $told = [];
        if (self::beginsAnew($event)) {
            yield from $this->close();
            yield from $this->tools->leave(self::BEGAN_AGAIN);
            $told = AgUiTools::with((object) ['message_ids' => $this->told]);
            [$this->told, $this->messages, $this->model, $this->said] = [[], [], null, []];
        }
        yield AgUiTools::extension($event) + $told;
    }

    private function resume(RawEvent $event): \Generator
    {
        $this->model = $event->text('model') === '' ? $this->model : $event->text('model');
        yield AgUiTools::extension($event);
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
        $outcome = $this->tools->defer($event->value('pending'));
        yield from $this->closeAll();
        $output = $event->value('output');
        $isNone = $output === null || (is_float($output) && is_infinite($output));
        yield ['type' => 'RUN_FINISHED'] + $this->ids() + ($isNone ? [] : ['result' => $output])
            + ['outcome' => $outcome] + $this->usage($event) + AgUiTools::with($event->own('text', 'output'));
    }

    private function error(RawEvent $event): \Generator
    {
        yield from $this->closeAll();
        yield ['type' => 'RUN_ERROR', 'message' => $event->text('message'), 'code' => $event->text('code')]
            + $this->usage($event) + AgUiTools::with($event->own('message', 'code'));
    }

    private function aborted(RawEvent $event): \Generator
    {
        yield from $this->closeAll();
        yield ['type' => 'RUN_FINISHED'] + $this->ids() + ['outcome' => ['type' => 'cancelled']]
            + $this->usage($event) + AgUiTools::with($event->own());
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
        yield from $this->tools->leave();
    }

    // What is said and called

    private function speak(string $kind, RawEvent $event): iterable
    {
        [$text, $block] = [$event->value('text'), $event->value('block')];

        return is_string($text) && is_int($block)
            ? $this->say($kind, $block, $text, AgUiTools::with($event->own('text', 'block')))
            : [AgUiTools::extension($event)];
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
                $this->tools->parent = $this->message;
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
        if (in_array($this->tools->parent, $taken, true)) {
            $this->tools->parent = null;
        }
        yield AgUiTools::extension($event) + AgUiTools::with((object) ['message_ids' => $taken]);
    }

    private function call(RawEvent $event): \Generator
    {
        if (!$this->tools->isNew($event)) {
            yield AgUiTools::extension($event);

            return;
        }
        yield from $this->close();
        yield from $this->tools->call($event);
    }

    private function id(string $kind): string
    {
        return $this->told[] = "$this->run:$kind-" . ++$this->count;
    }
}
