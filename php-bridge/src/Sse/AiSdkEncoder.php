<?php

declare(strict_types=1);

namespace AgentWorkers\Sse;

/**
 * Writes the UI message stream of Vercel's AI SDK (package `ai`, version 7), which `useChat` reads: the chunks of one
 * message, for one run.
 *
 * Its extension form is a transient part `data-TYPE` with the whole event. Fields that a chunk has no place for are in
 * `providerMetadata.agentWorkers`; those about the run are in the message's metadata. A step is what the model says and
 * calls until it has the results. Text that is taken back goes by `reset-step`, after which what is left of the step is
 * said again; where the step has calls, which cannot, it stays. Where the run begins again the open step goes, calls
 * and all. Earlier ones stay, for the protocol has nothing that takes them back: `lost_steps` in the message's metadata
 * tells how many no longer count.
 */
final class AiSdkEncoder extends ChunkEncoder
{
    public const HEADERS = ['X-Vercel-AI-UI-Message-Stream' => 'v1'];

    private const FINISH_REASONS = [
        'end_turn' => 'stop',
        'max_tokens' => 'length',
        'refusal' => 'content-filter',
        'permission_required' => 'tool-calls',
    ];

    private bool $isBegun = false;
    /** @var array{string, int}|null what is being said: kind and block */
    private ?array $open = null;
    private string $part = '';
    private int $parts = 0;
    private int $steps = 0;
    /** @var list<array{string, int, string}>|null what the open step says: kind, block, text */
    private ?array $step = null;
    private bool $hasCalls = false;
    private AiSdkTools $tools;

    public function __construct()
    {
        $this->tools = new AiSdkTools();
    }

    public function closing(): string
    {
        return "data: [DONE]\n\n";
    }

    protected function chunks(RawEvent $event): iterable
    {
        if (!$this->isBegun) {
            $this->isBegun = true;
            $known = $event->type === 'start' ? (array) $event->own() : [];
            $id = $event->run === '' ? [] : ['messageId' => $event->run];
            $metadata = (object) array_replace(['run' => $event->run], $known);
            yield ['type' => 'start'] + $id + ['messageMetadata' => $metadata];
            if ($event->type === 'start') {
                return;
            }
        }
        yield from match ($event->type) {
            'start' => $this->beginAnew($event),
            'session' => [['type' => 'message-metadata', 'messageMetadata' => $event->own() ?? new \stdClass()]],
            'delta' => $this->speak('text', $event),
            'thinking' => $this->speak('reasoning', $event),
            'tool_call' => $this->call($event),
            'tool_result' => $this->tools->result($event),
            'permission_request' => [$this->tools->ask($event)],
            'permission_resolved' => [$this->tools->settle($event)],
            'discard' => $this->takeBack($event),
            'done' => $this->done($event),
            'error' => $this->error($event),
            'aborted' => $this->aborted($event),
            default => [AiSdkTools::extension($event)],
        };
    }

    /** Takes back the open step, which is all that can be; the run begins again in the midst of its stream. */
    private function beginAnew(RawEvent $event): \Generator
    {
        yield AiSdkTools::extension($event);
        if (!self::beginsAnew($event)) {
            return;
        }
        [$this->open, $this->tools, $this->hasCalls, $this->said] = [null, new AiSdkTools(), false, []];
        $lost = $this->steps;
        if ($this->step !== null) {
            [$this->step, $lost] = [[], $lost - 1];
            yield ['type' => 'reset-step'];
        }
        $metadata = (object) array_replace(['lost_steps' => $lost], (array) $event->own());
        yield ['type' => 'message-metadata', 'messageMetadata' => $metadata];
    }

    // The end

    private function done(RawEvent $event): \Generator
    {
        if ($this->said === [] && $event->text('text') !== '') {
            yield from $this->say('text', -1, $event->text('text'), []);
        }
        yield from $this->tools->defer($event->value('pending'));
        yield from $this->closeAll();
        yield [
            'type' => 'finish',
            'finishReason' => self::FINISH_REASONS[$event->text('stop_reason')] ?? 'other',
            'messageMetadata' => self::ended('done', $event->own('text')),
        ];
    }

    private function error(RawEvent $event): \Generator
    {
        yield from $this->closeAll();
        yield ['type' => 'message-metadata', 'messageMetadata' => self::ended('error', $event->own())];
        yield ['type' => 'error', 'errorText' => $event->text('message')];
    }

    private function aborted(RawEvent $event): \Generator
    {
        yield from $this->closeAll();
        yield ['type' => 'abort', 'reason' => $event->text('reason')];
        yield ['type' => 'finish', 'messageMetadata' => self::ended('aborted', $event->own())];
    }

    private function closeAll(): \Generator
    {
        yield from $this->close();
        yield from $this->tools->leave();
        if ($this->step !== null) {
            yield ['type' => 'finish-step'];
        }
    }

    // What is said and called

    private function speak(string $kind, RawEvent $event): iterable
    {
        [$text, $block] = [$event->value('text'), $event->value('block')];

        return is_string($text) && is_int($block)
            ? $this->say($kind, $block, $text, AiSdkTools::rest($event, 'text', 'block'))
            : [AiSdkTools::extension($event)];
    }

    /** @param array<string, mixed> $rest */
    private function say(string $kind, int $block, string $text, array $rest): \Generator
    {
        if ($text === '' && $rest === []) {
            return;
        }
        if ($this->open !== [$kind, $block]) {
            yield from $this->close();
            if ($this->step !== null && $this->hasCalls && $this->tools->areDone()) {
                $this->step = null;
                yield ['type' => 'finish-step'];
            }
            yield from $this->openStep();
            $this->open = [$kind, $block];
            $this->part = $kind . '-' . ++$this->parts;
            $this->step[] = [$kind, $block, ''];
            yield ['type' => "$kind-start", 'id' => $this->part];
        }
        $this->step[array_key_last($this->step)][2] .= $text;
        if ($kind === 'text') {
            $this->said[$block] = true;
        }
        yield ['type' => "$kind-delta", 'id' => $this->part, 'delta' => $text] + $rest;
    }

    private function close(): \Generator
    {
        if ($this->open !== null) {
            yield ['type' => $this->open[0] . '-end', 'id' => $this->part];
        }
        $this->open = null;
    }

    private function openStep(): \Generator
    {
        if ($this->step === null) {
            [$this->step, $this->hasCalls] = [[], false];
            $this->steps++;
            yield ['type' => 'start-step'];
        }
    }

    private function takeBack(RawEvent $event): \Generator
    {
        yield AiSdkTools::extension($event);
        $blocks = array_fill_keys($event->blocks(), true);
        $this->said = array_diff_key($this->said, $blocks);
        $kept = array_filter($this->step ?? [], static fn (array $part): bool => !isset($blocks[$part[1]]));
        if (count($kept) < count($this->step ?? []) && !$this->hasCalls) {
            [$this->open, $this->step] = [null, []];
            yield ['type' => 'reset-step'];
            foreach ($kept as [$kind, $block, $text]) {
                yield from $this->say($kind, $block, $text, []);
            }
            yield from $this->close();
        } elseif ($this->open !== null && isset($blocks[$this->open[1]])) {
            yield from $this->close();
        }
    }

    private function call(RawEvent $event): \Generator
    {
        if (!$this->tools->isNew($event)) {
            yield AiSdkTools::extension($event);

            return;
        }
        yield from $this->close();
        yield from $this->openStep();
        $this->hasCalls = true;
        yield $this->tools->call($event);
    }

    private static function ended(string $how, ?\stdClass $own): \stdClass
    {
        return (object) array_replace(['end' => $how], (array) $own);
    }
}
