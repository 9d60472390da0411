<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use AgentWorkers\Event\Event;

/**
 * What of a run is kept, and how: the operator's choice.
 *
 * @internal
 */
final class Keeping
{
    private const ALL_EVENTS = '*';
    private const OF_TOOLS = ['tool_call', 'tool_result'];
    private const ENVELOPE = ['v', 'seq', 'run', 'ts', 'type', 'prev'];
    private const TOOL_FIELDS = ['input', 'content'];
    /** Types whose `reason` is one of a few words. */
    private const REASONED = ['discard', 'aborted'];
    /** Fields of events that hold no free text. */
    private const WITHOUT_TEXT = [
        'id', 'ok', 'code', 'level', 'retryable', 'retry_after_ms', 'busy_ms', 'http_status', 'stop_reason', 'behavior',
        'by', 'actor', 'status', 'permission_id', 'question_id', 'tool_use_id', 'parent_tool_use_id', 'call_id',
        'task_id', 'effect_key', 'replayed', 'name', 'expires_at', 'stream', 'block', 'blocks', 'idle_ms', 'attempt',
        'max_attempts', 'delay_ms', 'session_id', 'model', 'tools', 'resumed', 'simulated', 'engine', 'warm', 'worker',
        'worker_version', 'sdk_version', 'cli_version', 'skill', 'skill_version', 'user', 'subject', 'traceparent',
        'usage', 'usage_scope', 'cost_usd', 'duration_ms', 'turns', 'models', 'needs_review', 'lane', 'truncated_bytes',
    ];
    /** Characters of the longest content that is kept: some take seven bytes, and MariaDB takes 16 MiB at once. */
    public const LONGEST = 1024 * 1024;

    /** @param list<string> $events types of those that are kept as such */
    public function __construct(
        private readonly Keep $keep,
        private readonly Redaction $redaction,
        private readonly array $events,
        private readonly bool $isEncrypted = false,
    ) {
    }

    public static function by(Settings $settings): self
    {
        return new self($settings->keep(), $settings->redaction(), $settings->events(), $settings->isEncrypted());
    }

    /** Whether anything of what was said is kept. */
    public function hasContent(): bool
    {
        return $this->keep !== Keep::Metadata;
    }

    /** Whether what tools were given and gave back is kept. */
    public function hasTools(): bool
    {
        return $this->keep === Keep::Everything;
    }

    /** @return string|null a message's content, as its column has it */
    public function content(string $kind, mixed $value): ?string
    {
        $isLeftOut = !$this->hasContent() || (!$this->hasTools() && in_array($kind, self::OF_TOOLS, true));

        return $value === null || $isLeftOut || self::length($value) > self::LONGEST
            ? null
            : $this->sealed($this->redaction->of($value));
    }

    public function title(?string $text): ?string
    {
        $kept = $this->words($text);
        if ($kept === null) {
            return null;
        }
        // Half an address would be found by no pattern, so it is cut last.
        $cut = mb_substr($kept, 0, Columns::TITLE);

        return $this->isEncrypted ? Text::sealedShort($cut) : $cut;
    }

    public function goal(?string $text): ?string
    {
        $kept = $this->words($text);

        return $kept !== null && $this->isEncrypted ? Text::sealed($kept) : $kept;
    }

    /** @return string|null as its column has it: what a run is about is a name of the application's */
    public function subject(mixed $subject): ?string
    {
        return $subject === null ? null : Content::json((new Redaction())->of($subject));
    }

    public function output(mixed $output): string
    {
        return $this->sealed($this->redaction->of($output));
    }

    public function keepsEvent(string $type): bool
    {
        return in_array($type, $this->events, true) || in_array(self::ALL_EVENTS, $this->events, true);
    }

    /**
     * Returns the fields of an event as their column has them, without the envelope.
     *
     * @param bool $isOfTool whether no model is asked: then the answer is a tool's
     */
    public function payload(Event $event, bool $isOfTool): string
    {
        $fields = array_diff_key((array) $event->jsonSerialize(), array_flip(self::ENVELOPE));
        if (!$this->hasContent()) {
            $reason = in_array($event->type, self::REASONED, true) ? ['reason'] : [];
            $fields = array_intersect_key($fields, array_flip([...self::WITHOUT_TEXT, ...$reason]));
        } elseif (!$this->hasTools()) {
            $isAnswer = $isOfTool || $event->type === 'tool_output';
            $hidden = [...self::TOOL_FIELDS, ...$isAnswer ? ['text', 'output'] : []];
            $fields = array_map(self::withoutInput(...), array_diff_key($fields, array_flip($hidden)));
        }

        return $this->sealed($this->redaction->of((object) $fields));
    }

    private function words(?string $text): ?string
    {
        return $text !== null && $text !== '' && $this->hasContent() ? $this->redaction->text($text) : null;
    }

    private function sealed(mixed $value): string
    {
        return $this->isEncrypted ? Content::sealed($value) : Content::json($value);
    }

    /** Returns `denials` and `pending` without what the tools were called with. */
    private static function withoutInput(mixed $value): mixed
    {
        return match (true) {
            is_array($value) => array_map(self::withoutInput(...), $value),
            $value instanceof \stdClass && isset($value->tool_use_id)
                => (object) array_diff_key(get_object_vars($value), array_flip(self::TOOL_FIELDS)),
            default => $value,
        };
    }

    private static function length(mixed $value): int
    {
        if (is_string($value)) {
            return mb_strlen($value);
        }
        if ($value instanceof \stdClass) {
            $names = array_sum(array_map(mb_strlen(...), array_map(strval(...), array_keys(get_object_vars($value)))));
            $value = array_values(get_object_vars($value));
        }

        return is_array($value) ? array_sum(array_map(self::length(...), $value)) + ($names ?? 0) : 1;
    }
}
