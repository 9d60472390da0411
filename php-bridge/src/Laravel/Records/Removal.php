<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use Illuminate\Database\Eloquent\Builder;

/**
 * Removes records, and the files of the sessions that they tell of.
 *
 * @internal
 */
final class Removal
{
    /** Rows that are deleted at once. */
    private const AT_ONCE = 500;
    /** Types of events that say who did something. */
    private const ACTED = ['permission_resolved', 'question_resolved', 'steered'];

    public function __construct(
        private readonly Database $database,
        private readonly SessionFiles $sessions,
    ) {
    }

    /**
     * Removes a conversation and what was said in it. What it has cost is still counted.
     *
     * @return string|null the session that its agent had
     */
    public function conversation(AgentConversation $conversation): ?string
    {
        $runs = $this->database->table(Change::RUNS)->where('conversation_id', $conversation->id)->pluck('id')->all();
        $sessions = $this->database->table(Change::RUNS)->whereIn('id', $runs)->pluck('session_id')->all();
        $this->database->connection()->transaction(function () use ($conversation, $runs): void {
            $this->runs($runs, keepsUsage: true);
            $conversation->delete();
        });
        $this->sessions->remove(array_values(array_unique(array_filter([$conversation->session_id, ...$sessions]))));

        return $conversation->session_id;
    }

    /**
     * Removes runs, with all that belongs to them, and conversations that have none then.
     *
     * @param \Closure(): Builder<AgentRun> $which
     *
     * @return int how many runs
     */
    public function all(\Closure $which): int
    {
        for ($count = 0; ($runs = $which()->limit(self::AT_ONCE)->get())->isNotEmpty(); $count += $runs->count()) {
            $conversations = $runs->pluck('conversation_id')->filter()->unique()->values()->all();
            $this->database->connection()->transaction(function () use ($runs, $conversations): void {
                $this->runs($runs->pluck('id')->all(), keepsUsage: false);
                $left = $this->database->table(Change::RUNS)->whereIn('conversation_id', $conversations)
                    ->pluck('conversation_id')->all();
                $this->database->table(Change::CONVERSATIONS)
                    ->whereIn('id', array_values(array_diff($conversations, $left)))->delete();
            });
            $sessions = $runs->pluck('session_id')->filter()->unique()->values()->all();
            $used = $this->database->table(Change::RUNS)->whereIn('session_id', $sessions)->pluck('session_id')->all();
            $this->sessions->remove(array_values(array_diff($sessions, $used)));
        }

        return $count;
    }

    /**
     * Takes a user's name out of what others' runs tell: whom they allowed what, and what they said there.
     */
    public function actor(string $user): void
    {
        $this->database->table(Change::MESSAGES)->where('actor', Columns::name($user))->update(['actor' => null]);
        foreach (AgentEvent::query()->whereIn('type', self::ACTED)->lazyById(self::AT_ONCE) as $event) {
            $payload = (array) $event->payload;
            if (($payload['actor'] ?? null) === $user) {
                $event->update(['payload' => array_diff_key($payload, ['actor' => true])]);
            }
        }
    }

    /** @param list<string> $runs */
    private function runs(array $runs, bool $keepsUsage): void
    {
        $tables = [Change::MESSAGES, 'agent_events', 'agent_insights', ...$keepsUsage ? [] : ['agent_usage']];
        foreach (array_chunk($runs, self::AT_ONCE) as $some) {
            foreach ($tables as $table) {
                $this->database->table($table)->whereIn('run_id', $some)->delete();
            }
            $this->database->table(Change::RUNS)->whereIn('id', $some)->delete();
        }
    }
}
