<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use AgentWorkers\Event\Delta;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\Session;
use AgentWorkers\Event\Start;

/**
 * The row of a run, and that of its conversation.
 *
 * @internal
 */
final class RunRow
{
    /** Columns that a later attempt begins without. */
    private const UNTIL_THE_END = [
        'code' => null, 'stop_reason' => null, 'first_delta_at' => null, 'ended_at' => null, 'duration_ms' => null,
        'turns' => null, 'cost_usd' => null, 'chain_head' => null,
    ];

    /** Columns that a later attempt learns anew. */
    private const OF_ITS_SESSION = ['conversation_id' => true, 'session_id' => true, 'model' => true];

    /** @var array<string, mixed> without `last_seq` */
    public array $columns;
    /** @var array<string, mixed> as they were before the first event */
    private readonly array $first;
    /** The conversation that it belongs to; null where it is not known yet, or there is none. */
    public ?string $conversation;
    /** What it is about, as JSON has it. */
    public mixed $subject;
    private ?string $begun = null;
    private ?string $engine;
    /** @var list<string>|null */
    private ?array $tools = null;

    public function __construct(private readonly Facts $facts, private readonly Keeping $keeping)
    {
        $this->conversation = Columns::name($facts->party->conversation) ?? Columns::name($facts->session());
        $this->engine = Columns::name($facts->text('engine'));
        $this->subject = $facts->subject();
        $this->columns = [
            'id' => Columns::name($facts->run),
            'conversation_id' => $this->conversation,
            'worker' => Columns::name($facts->worker) ?? '',
            'worker_version' => null,
            'skill' => Columns::name($facts->text('skill')),
            'skill_version' => null,
            'user' => Columns::name($facts->user()),
            'tenant' => Columns::name($facts->party->tenant),
            'subject' => $keeping->subject($this->subject),
            'goal' => $keeping->goal($facts->text('goal')),
            'model' => Columns::name($facts->text('model')),
            'session_id' => Columns::name($facts->session()),
            'status' => 'running',
            'attempts' => $facts->attempt(),
            'started_at' => $facts->at,
            'traceparent' => Columns::name($facts->text('traceparent')),
            'simulated' => false,
        ] + self::UNTIL_THE_END;
        $this->first = array_intersect_key($this->columns, self::OF_ITS_SESSION);
    }

    public function beginAnew(int $attempt): void
    {
        $anew = ['status' => 'running', 'attempts' => $attempt] + self::UNTIL_THE_END + $this->first;
        $this->columns = $anew + $this->columns;
        $this->conversation = $this->first['conversation_id'];
        $this->begun = null;
    }

    /** Takes an event; says whether the row is to be written now. */
    public function note(Event $event, string $at): bool
    {
        if ($event instanceof Start) {
            $this->begun = $at;
            $this->start($event);
        } elseif ($event instanceof Session) {
            $this->columns['session_id'] = Columns::name($event->sessionId) ?? $this->columns['session_id'];
            $this->columns['model'] = Columns::name($event->model) ?? $this->columns['model'];
            $tools = array_values(array_unique(array_filter(array_map(Columns::name(...), $event->tools))));
            sort($tools, SORT_STRING);
            $this->tools = $tools;
            $this->belong();
        } elseif ($event instanceof Delta) {
            $this->columns['first_delta_at'] ??= $at; // written later: no word waits for that
        } elseif ($event->isTerminal()) {
            $this->end($event, $at);
        }

        return $event instanceof Start || $event instanceof Session || $event->isTerminal();
    }

    public function change(int $attempt, int $seq): Change
    {
        return Change::put(Change::RUNS, $attempt, ['last_seq' => max(0, $seq)] + $this->columns);
    }

    /** @return list<Change> none where it belongs to no conversation */
    public function conversation(int $attempt, string $at): array
    {
        return $this->conversation === null ? [] : [Change::put(Change::CONVERSATIONS, $attempt, [
            'id' => $this->conversation,
            'session_id' => $this->columns['session_id'],
            'owner' => Columns::name($this->facts->owner()) ?? $this->columns['user'],
            'tenant' => $this->columns['tenant'],
            'subject' => $this->columns['subject'],
            'title' => $this->keeping->title(Columns::title($this->facts->question)),
            'worker' => $this->columns['worker'],
            'engine' => $this->engine,
            'tools' => $this->tools === null ? null : Content::json($this->tools),
            'created_at' => $this->facts->at,
            'updated_at' => $at,
        ])];
    }

    private function start(Start $event): void
    {
        $row = &$this->columns;
        $row['worker'] = $row['worker'] ?: Columns::name($event->worker) ?? '';
        $row['worker_version'] = Columns::name($event->workerVersion);
        $row['skill'] = Columns::name($event->skill) ?? $row['skill'];
        $row['skill_version'] = Columns::name($event->skillVersion);
        $row['user'] ??= Columns::name($event->user);
        if ($this->subject === null) {
            $this->subject = ((array) $event->jsonSerialize())['subject'] ?? null;
            $row['subject'] = $this->keeping->subject($this->subject);
        }
        $row['goal'] ??= $this->keeping->goal($event->goal);
        $row['traceparent'] = Columns::name($event->traceparent) ?? $row['traceparent'];
        $row['simulated'] = $event->simulated;
        $this->engine = Columns::name($event->engine) ?? $this->engine;
    }

    private function end(Event $event, string $at): void
    {
        $said = $event->data;
        $row = &$this->columns;
        [$row['status'], $row['ended_at']] = [$event->type, $at];
        if ($event->type === 'done') {
            $row['stop_reason'] = Columns::name($said['stop_reason'] ?? null);
            $row['turns'] = Columns::count($said['turns'] ?? null);
            $row['skill'] ??= Columns::name($said['skill'] ?? null);
        } else {
            $row['code'] = Columns::name($said[$event->type === 'error' ? 'code' : 'reason'] ?? null);
        }
        $row['duration_ms'] = Columns::count($said['duration_ms'] ?? null)
            ?? ($this->begun === null ? null : Columns::msBetween($this->begun, $at));
        $row['cost_usd'] = Columns::money($said['cost_usd'] ?? null);
        $row['session_id'] = Columns::name($said['session_id'] ?? null) ?? $row['session_id'];
        $isChained = is_string($said['prev'] ?? null);
        $row['chain_head'] = $this->facts->chainHead ?? ($isChained ? hash('sha256', $event->toJson()) : null);
        $this->belong();
    }

    /** A conversation that the application has not named bears the session's id. */
    private function belong(): void
    {
        $this->conversation ??= $this->columns['session_id'];
        $this->columns['conversation_id'] = $this->conversation;
    }
}
