<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use AgentWorkers\Event\Delta;
use AgentWorkers\Event\Discard;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\PermissionRequest;
use AgentWorkers\Event\PermissionResolved;
use AgentWorkers\Event\Steered;
use AgentWorkers\Event\ToolCall;
use AgentWorkers\Event\ToolResult;

/**
 * The messages of one attempt: what was asked, said and decided.
 *
 * @internal
 */
final class Messages
{
    /** Types of the events that end a text; so does a delta of another block. Others may stand within it. */
    private const ENDING = [
        'thinking', 'tool_call', 'tool_result', 'app_tool_call', 'permission_request', 'permission_resolved',
        'question', 'question_resolved', 'steered', 'done', 'error', 'aborted',
    ];
    private const ROLES = ['question' => 'user', 'steer' => 'user', 'permission' => 'user', 'tool_result' => 'tool'];

    private readonly Texts $texts;
    /** @var array<string, string|null> names of open calls, by their ids */
    private array $names = [];
    /** @var array<string, PermissionRequest> by their ids */
    private array $asked = [];

    public function __construct(
        private readonly Facts $facts,
        private readonly Keeping $keeping,
        private readonly int $attempt,
        private readonly Steers $steers,
    ) {
        $this->texts = new Texts();
    }

    /** @return list<Change> none where the question is not known */
    public function question(?string $conversation): array
    {
        $question = $this->facts->question;
        if ($this->facts->isOfTool() && !$this->keeping->hasTools()) {
            $question = array_intersect_key((array) $question, ['tool' => true]);
        }

        return $question === null ? [] : [$this->row(0, 'question', $conversation, $this->facts->at, $question)];
    }

    /** @return list<Change> */
    public function note(Event $event, ?string $conversation, string $at): array
    {
        $ended = match (true) {
            $event instanceof Delta => self::isWhole($event) ? $this->texts->add($event->block, $event->text) : null,
            in_array($event->type, self::ENDING, true) => $this->texts->end(),
            default => null,
        };
        $changes = $this->said($ended, $event->seq, $at, $conversation);
        if ($event instanceof Discard) {
            $rows = array_merge(...array_map($this->texts->discard(...), array_filter($event->blocks, is_int(...))));
            array_push($changes, ...array_map(fn (int $seq): Change => Change::withdraw($this->attempt, $seq), $rows));
        }
        $acted = $this->acted($event, $at, $conversation);

        return $acted === null ? $changes : [...$changes, $acted];
    }

    /**
     * @param array{int, string|null}|null $text
     *
     * @return list<Change>
     */
    private function said(?array $text, int $seq, string $at, ?string $conversation): array
    {
        if ($text === null) {
            return [];
        }
        $this->texts->note($text[0], $seq);

        return [$this->row($seq, 'text', $conversation, $at, $text[1])];
    }

    private function acted(Event $event, string $at, ?string $conversation): ?Change
    {
        if ($event instanceof PermissionRequest) {
            $this->asked[$event->permissionId] = $event;
        }

        return match (true) {
            $event instanceof ToolCall => $this->called($event, $at, $conversation),
            $event instanceof ToolResult => $this->answered($event, $at, $conversation),
            $event instanceof PermissionResolved => $this->decided($event, $at, $conversation),
            $event instanceof Steered => $this->row(
                $event->seq,
                'steer',
                $conversation,
                $at,
                $this->steers->take($event->id),
                ['actor' => Columns::name($event->actor)],
            ),
            default => null,
        };
    }

    private function called(ToolCall $event, string $at, ?string $conversation): Change
    {
        $this->names[$event->toolUseId] = Columns::name($event->name);
        $input = ((array) $event->jsonSerialize())['input'] ?? null;

        return $this->row($event->seq, 'tool_call', $conversation, $at, $input, [
            'name' => Columns::name($event->name),
            'tool_use_id' => Columns::name($event->toolUseId),
        ]);
    }

    private function answered(ToolResult $event, string $at, ?string $conversation): Change
    {
        $name = $this->names[$event->toolUseId] ?? null;
        unset($this->names[$event->toolUseId]);

        return $this->row($event->seq, 'tool_result', $conversation, $at, $event->data['content'] ?? null, [
            'name' => $name,
            'tool_use_id' => Columns::name($event->toolUseId),
            'status' => Columns::name($event->status),
        ]);
    }

    private function decided(PermissionResolved $event, string $at, ?string $conversation): Change
    {
        $asked = $this->asked[$event->permissionId] ?? null;
        unset($this->asked[$event->permissionId]);

        return $this->row($event->seq, 'permission', $conversation, $at, ['by' => $event->data['by'] ?? null], [
            'name' => Columns::name($asked?->name),
            'tool_use_id' => Columns::name($asked?->toolUseId),
            'status' => Columns::name($event->behavior),
            'actor' => Columns::name($event->actor),
        ]);
    }

    private static function isWhole(Delta $event): bool
    {
        return is_int($event->data['block'] ?? null) && is_string($event->data['text'] ?? null);
    }

    /** @param array<string, string|null> $more columns */
    private function row(
        int $seq,
        string $kind,
        ?string $conversation,
        string $at,
        mixed $content,
        array $more = [],
    ): Change {
        return Change::put(Change::MESSAGES, $this->attempt, $more + [
            'run_id' => Columns::name($this->facts->run),
            'conversation_id' => $conversation,
            'attempt' => $this->attempt,
            'seq' => $seq,
            'role' => self::ROLES[$kind] ?? 'assistant',
            'kind' => $kind,
            'content' => $this->keeping->content($kind, $content),
            'name' => null,
            'tool_use_id' => null,
            'status' => null,
            'actor' => null,
            'created_at' => $at,
        ]);
    }
}
