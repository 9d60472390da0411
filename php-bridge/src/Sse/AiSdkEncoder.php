<?php

declare(strict_types=1);

namespace AgentWorkers\Sse;

/**
 * Writes the UI message stream of Vercel's AI SDK (package `ai`, version 7), which `useChat` reads: the chunks of one
 * message, for one run.
 *
 * Its extension form is a transient part `data-TYPE` with the whole event. Fields that a chunk has no place for are in
 * `providerMetadata.agentWorkers`; those about the run are in the message's metadata. A step is what the model says and
 * calls until it has the results. Text that is taken back goes by `reset-step`, where it is all that the step has.
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
    /** The page does not run the tool, and has no code for it. */
    private const BY_WORKER = ['providerExecuted' => true, 'dynamic' => true];

    private bool $isBegun = false;
    /** @var array{string, int}|null what is being said: kind and block */
    private ?array $open = null;
    private string $part = '';
    private int $parts = 0;
    /** @var array<int, true>|null the blocks that the open step has */
    private ?array $step = null;
    private bool $hasCalls = false;
    /** @var array<array-key, string|null> calls without a result, and what became of the question about them */
    private array $calls = [];
    /** @var array<array-key, string> calls by the ids of the questions */
    private array $asked = [];

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
            'session' => [['type' => 'message-metadata', 'messageMetadata' => $event->own() ?? new \stdClass()]],
            'delta' => $this->speak('text', $event),
            'thinking' => $this->speak('reasoning', $event),
            'tool_call' => $this->call($event),
            'tool_result' => $this->result($event),
            'permission_request' => $this->ask($event),
            'permission_resolved' => $this->settle($event),
            'discard' => $this->takeBack($event),
            'done' => $this->done($event),
            'error' => $this->error($event),
            'aborted' => $this->aborted($event),
            default => [self::extension($event)],
        };
    }

    // The end

    private function done(RawEvent $event): \Generator
    {
        if ($this->said === [] && $event->text('text') !== '') {
            yield from $this->say('text', -1, $event->text('text'), []);
        }
        $pending = $event->value('pending');
        $call = $pending instanceof \stdClass ? $pending->tool_use_id ?? null : null;
        if (is_string($call) && array_key_exists($call, $this->calls) && $this->calls[$call] === null) {
            unset($this->calls[$call]);
            yield ['type' => 'tool-approval-request', 'approvalId' => $call, 'toolCallId' => $call];
        }
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
        foreach ($this->calls as $call => $verdict) {
            yield from $this->leave((string) $call, $verdict);
        }
        if ($this->step !== null) {
            yield ['type' => 'finish-step'];
        }
    }

    // Text

    private function speak(string $kind, RawEvent $event): iterable
    {
        [$text, $block] = [$event->value('text'), $event->value('block')];

        return is_string($text) && is_int($block)
            ? $this->say($kind, $block, $text, self::rest($event, 'text', 'block'))
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
            if ($this->step !== null && $this->hasCalls && $this->calls === []) {
                $this->step = null;
                yield ['type' => 'finish-step'];
            }
            yield from $this->openStep();
            $this->open = [$kind, $block];
            $this->part = $kind . '-' . ++$this->parts;
            yield ['type' => "$kind-start", 'id' => $this->part];
        }
        $this->step[$block] = true;
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
            yield ['type' => 'start-step'];
        }
    }

    private function takeBack(RawEvent $event): \Generator
    {
        yield self::extension($event);
        $blocks = array_fill_keys($event->blocks(), true);
        $this->said = array_diff_key($this->said, $blocks);
        if (($this->step ?? []) !== [] && array_diff_key($this->step, $blocks) === [] && !$this->hasCalls) {
            [$this->open, $this->step] = [null, []];
            yield ['type' => 'reset-step'];
        } elseif ($this->open !== null && isset($blocks[$this->open[1]])) {
            yield from $this->close();
        }
    }

    // Tools

    private function call(RawEvent $event): \Generator
    {
        [$call, $input] = [$event->text('tool_use_id'), $event->value('input')];
        $isWhole = $event->hasTexts('tool_use_id', 'name') && $input instanceof \stdClass;
        if (!$isWhole || array_key_exists($call, $this->calls)) {
            yield self::extension($event);

            return;
        }
        yield from $this->close();
        yield from $this->openStep();
        $this->hasCalls = true;
        $this->calls[$call] = null;
        $chunk = ['toolCallId' => $call, 'toolName' => $event->text('name'), 'input' => $input] + self::BY_WORKER;
        yield ['type' => 'tool-input-available'] + $chunk + self::rest($event, 'tool_use_id', 'name', 'input');
    }

    private function result(RawEvent $event): \Generator
    {
        [$call, $status] = [$event->text('tool_use_id'), $event->text('status')];
        if (!$event->hasTexts('tool_use_id', 'content') || !array_key_exists($call, $this->calls)) {
            yield self::extension($event);

            return;
        }
        $verdict = $this->calls[$call];
        unset($this->calls[$call]);
        $isFailed = $status === 'error' || $status === 'denied';
        if ($status === 'denied' && $verdict !== 'allow') {
            yield from $this->denied($event, $call, $verdict);

            return;
        }
        $told = in_array($status, ['ok', 'error'], true) ? ['status'] : [];
        $chunk = $isFailed
            ? ['type' => 'tool-output-error', 'toolCallId' => $call, 'errorText' => $event->text('content')]
            : ['type' => 'tool-output-available', 'toolCallId' => $call, 'output' => $event->text('content')];
        yield $chunk + self::BY_WORKER + self::rest($event, 'tool_use_id', 'content', ...$told);
    }

    /** Tells a denial; the reason is that of the approval, or where nobody was asked, of one that was automatic. */
    private function denied(RawEvent $event, string $call, ?string $verdict): \Generator
    {
        if ($verdict === null) {
            $asked = ['approvalId' => "$call-denied"];
            yield ['type' => 'tool-approval-request'] + $asked + ['toolCallId' => $call, 'isAutomatic' => true];
            $reason = ['approved' => false, 'reason' => $event->text('content')];
            yield ['type' => 'tool-approval-response'] + $asked + $reason;
        }
        if ($verdict !== null || self::rest($event, 'tool_use_id', 'content', 'status') !== []) {
            yield self::extension($event);
        }
        yield ['type' => 'tool-output-denied', 'toolCallId' => $call];
    }

    /** Ends a call that has no result, so that no page waits for one. */
    private function leave(string $call, ?string $verdict): \Generator
    {
        if ($verdict === 'asked') {
            $asked = ['approvalId' => (string) array_search($call, $this->asked, true)];
            $reason = ['approved' => false, 'reason' => self::RUN_ENDED];
            yield ['type' => 'tool-approval-response'] + $asked + $reason;
        }
        yield $verdict === 'asked' || $verdict === 'deny'
            ? ['type' => 'tool-output-denied', 'toolCallId' => $call]
            : ['type' => 'tool-output-error', 'toolCallId' => $call, 'errorText' => self::RUN_ENDED] + self::BY_WORKER;
    }

    private function ask(RawEvent $event): \Generator
    {
        [$call, $question] = [$event->text('tool_use_id'), $event->text('permission_id')];
        $isOpen = array_key_exists($call, $this->calls) && $this->calls[$call] === null;
        if (!$isOpen || isset($this->asked[$question]) || !$event->hasTexts('permission_id')) {
            yield self::extension($event);

            return;
        }
        $this->calls[$call] = 'asked';
        $this->asked[$question] = $call;
        $more = $event->own('permission_id', 'tool_use_id', 'reason') ?? new \stdClass();
        yield ['type' => 'tool-approval-request', 'approvalId' => $question, 'toolCallId' => $call]
            + ['approvalDescriptor' => $more]
            + ($event->has('reason') ? ['reason' => $event->text('reason')] : []);
    }

    private function settle(RawEvent $event): \Generator
    {
        $question = $event->text('permission_id');
        $call = $this->asked[$question] ?? null;
        if ($call === null || ($this->calls[$call] ?? null) !== 'asked') {
            yield self::extension($event);

            return;
        }
        $approved = $event->text('behavior') === 'allow';
        $this->calls[$call] = $approved ? 'allow' : 'deny';
        $chunk = ['approvalId' => $question, 'approved' => $approved, 'reason' => $event->text('by')];
        $rest = self::rest($event, 'permission_id', 'behavior', 'by');
        yield ['type' => 'tool-approval-response'] + $chunk + ['providerExecuted' => true] + $rest;
    }

    // What the protocol has no form for

    /** @return array<string, mixed> */
    private static function extension(RawEvent $event): array
    {
        return ['type' => "data-$event->type", 'data' => $event->fields, 'transient' => true];
    }

    /** @return array<string, mixed> */
    private static function rest(RawEvent $event, string ...$told): array
    {
        $rest = $event->own(...$told);

        return $rest === null ? [] : ['providerMetadata' => ['agentWorkers' => $rest]];
    }

    private static function ended(string $how, ?\stdClass $own): \stdClass
    {
        return (object) array_replace(['end' => $how], (array) $own);
    }
}
