<?php

declare(strict_types=1);

namespace AgentWorkers\Sse;

/**
 * Writes the tools of a message of the AI SDK: calls, questions for consent, results. What fits no call that is open
 * goes by the extension form.
 *
 * @internal
 */
final class AiSdkTools
{
    /** The page does not run the tool, and has no code for it. */
    private const BY_WORKER = ['providerExecuted' => true, 'dynamic' => true];

    /** @var array<array-key, true> */
    private array $seen = [];
    /** @var array<array-key, string|null> calls without a result, and what became of the question about them */
    private array $calls = [];
    /** @var array<array-key, string> calls by the ids of the questions */
    private array $asked = [];

    /** Whether each call has its result. */
    public function areDone(): bool
    {
        return $this->calls === [];
    }

    /** Tells whether a `tool_call` begins a call. */
    public function isNew(RawEvent $event): bool
    {
        return $event->hasTexts('tool_use_id', 'name') && $event->value('input') instanceof \stdClass
            && !isset($this->seen[$event->text('tool_use_id')]);
    }

    /** @return array<string, mixed> the chunk of a new call */
    public function call(RawEvent $event): array
    {
        $call = $event->text('tool_use_id');
        $this->seen[$call] = true;
        $this->calls[$call] = null;
        $chunk = ['toolCallId' => $call, 'toolName' => $event->text('name'), 'input' => $event->value('input')];

        return ['type' => 'tool-input-available'] + $chunk + self::BY_WORKER
            + self::rest($event, 'tool_use_id', 'name', 'input');
    }

    /** @return \Generator<int, array<string, mixed>> the chunks of a `tool_result` */
    public function result(RawEvent $event): \Generator
    {
        [$call, $status] = [$event->text('tool_use_id'), $event->text('status')];
        if (!$event->hasTexts('tool_use_id', 'content') || !array_key_exists($call, $this->calls)) {
            yield self::extension($event);

            return;
        }
        $verdict = $this->calls[$call];
        unset($this->calls[$call]);
        if ($verdict === 'asked') {
            $verdict = $status === 'denied' ? 'deny' : 'allow';
            yield self::response($this->question($call)) + ['approved' => $verdict === 'allow'];
        }
        if ($verdict === 'deny' || ($status === 'denied' && $verdict === null)) {
            yield from $this->denied($event, $call, $verdict);

            return;
        }
        $told = in_array($status, ['ok', 'error'], true) ? ['status'] : [];
        $chunk = $status === 'error' || $status === 'denied'
            ? ['type' => 'tool-output-error', 'toolCallId' => $call, 'errorText' => $event->text('content')]
            : ['type' => 'tool-output-available', 'toolCallId' => $call, 'output' => $event->text('content')];
        yield $chunk + self::BY_WORKER + self::rest($event, 'tool_use_id', 'content', ...$told);
    }

    /** Tells a denial; the reason is that of the approval, or where nobody was asked, of one that was automatic. */
    private function denied(RawEvent $event, string $call, ?string $verdict): \Generator
    {
        if ($verdict === null) {
            $request = ['type' => 'tool-approval-request', 'approvalId' => "$call-denied", 'toolCallId' => $call];
            yield $request + ['isAutomatic' => true];
            yield self::response("$call-denied") + ['approved' => false, 'reason' => $event->text('content')];
        }
        if ($verdict !== null || self::rest($event, 'tool_use_id', 'content', 'status') !== []) {
            yield self::extension($event);
        }
        yield ['type' => 'tool-output-denied', 'toolCallId' => $call];
    }

    /** @return array<string, mixed> the chunk of a `permission_request` */
    public function ask(RawEvent $event): array
    {
        [$call, $question] = [$event->text('tool_use_id'), $event->text('permission_id')];
        if (!$this->isUndecided($call) || isset($this->asked[$question]) || !$event->hasTexts('permission_id')) {
            return self::extension($event);
        }
        $this->calls[$call] = 'asked';
        $this->asked[$question] = $call;
        $more = $event->own('permission_id', 'tool_use_id', 'reason') ?? new \stdClass();

        return ['type' => 'tool-approval-request', 'approvalId' => $question, 'toolCallId' => $call]
            + ['approvalDescriptor' => $more]
            + ($event->has('reason') ? ['reason' => $event->text('reason')] : []);
    }

    /** @return array<string, mixed> the chunk of a `permission_resolved` */
    public function settle(RawEvent $event): array
    {
        $question = $event->text('permission_id');
        $call = $this->asked[$question] ?? null;
        if ($call === null || ($this->calls[$call] ?? null) !== 'asked') {
            return self::extension($event);
        }
        $approved = $event->text('behavior') === 'allow';
        $this->calls[$call] = $approved ? 'allow' : 'deny';
        $chunk = ['approved' => $approved, 'reason' => $event->text('by'), 'providerExecuted' => true];

        return self::response($question) + $chunk + self::rest($event, 'permission_id', 'behavior', 'by');
    }

    /** @return \Generator<int, array<string, mixed>> the question about the call that a later run decides: `done.pending` */
    public function defer(mixed $pending): \Generator
    {
        $call = $pending instanceof \stdClass ? $pending->tool_use_id ?? null : null;
        if (is_string($call) && $this->isUndecided($call)) {
            unset($this->calls[$call]);
            yield ['type' => 'tool-approval-request', 'approvalId' => $call, 'toolCallId' => $call];
        }
    }

    /** @return \Generator<int, array<string, mixed>> ends the calls that have no result, so that no page waits for one */
    public function leave(): \Generator
    {
        foreach ($this->calls as $call => $verdict) {
            $id = ['toolCallId' => (string) $call];
            if ($verdict === 'asked') {
                $question = $this->question((string) $call);
                yield self::response($question) + ['approved' => false, 'reason' => ChunkEncoder::RUN_ENDED];
            }
            yield $verdict === 'asked' || $verdict === 'deny'
                ? ['type' => 'tool-output-denied'] + $id
                : ['type' => 'tool-output-error'] + $id + ['errorText' => ChunkEncoder::RUN_ENDED] + self::BY_WORKER;
        }
    }

    /** @return array<string, mixed> the chunk of what the protocol has no form for */
    public static function extension(RawEvent $event): array
    {
        return ['type' => "data-$event->type", 'data' => $event->fields, 'transient' => true];
    }

    /** @return array<string, mixed> where an event's other fields stand in a chunk; nothing if it has none */
    public static function rest(RawEvent $event, string ...$told): array
    {
        $rest = $event->own(...$told);

        return $rest === null ? [] : ['providerMetadata' => ['agentWorkers' => $rest]];
    }

    private function isUndecided(string $call): bool
    {
        return array_key_exists($call, $this->calls) && $this->calls[$call] === null;
    }

    private function question(string $call): string
    {
        return (string) array_search($call, $this->asked, true);
    }

    /** @return array<string, mixed> */
    private static function response(string $question): array
    {
        return ['type' => 'tool-approval-response', 'approvalId' => $question];
    }
}
