<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use Illuminate\Database\Query\Builder;

/**
 * Makes statements of the changes of one run, within a transaction. The first one writes, so that SQLite waits for who
 * came first.
 *
 * @internal
 */
final class Upserts
{
    private const EVENTS = 'agent_events';
    private const USAGE = 'agent_usage';
    /** Columns that stay as they were written first. */
    private const OF_ITS_BEGIN = ['created_at', 'started_at'];
    /** Columns of a conversation that its later runs only fill in. */
    private const OF_ITS_FIRST_RUN = ['owner', 'tenant', 'title'];

    /** The attempt that counts; null where that is to be looked up. */
    private ?int $attempt = null;
    private ?string $created = null;

    public function __construct(private readonly Database $database, private readonly string $run)
    {
    }

    /**
     * @param list<Change> $changes
     *
     * @return string|null the conversation, where it begins by that
     */
    public function write(array $changes): ?string
    {
        foreach ($changes as $change) {
            match (true) {
                $change->kind === Change::FORGET
                    => $this->messages()->where('attempt', '<', $change->attempt)->delete(),
                $change->kind === Change::WITHDRAW => $this->messages()->where($change->row)->delete(),
                $change->table === Change::RUNS => $this->putRun($change->row),
                $change->table === self::EVENTS => $this->upsert($change),
                $this->isPast($change->attempt) => $this->putPast($change),
                $change->table === Change::CONVERSATIONS => $this->putConversation($change->row),
                default => $this->upsert($change),
            };
        }

        return $this->created;
    }

    private function isPast(int $attempt): bool
    {
        $this->attempt ??= (int) $this->database->table(Change::RUNS)->where('id', $this->run)
            ->lockForUpdate()->value('attempts');

        return $attempt < $this->attempt;
    }

    private function putPast(Change $change): void
    {
        if ($change->table === self::USAGE) {
            $this->insert($change); // what a lost attempt has used was paid, too
        }
    }

    /**
     * A row is as its run's last event leaves it: who is behind changes nothing.
     *
     * @param array<string, mixed> $row
     */
    private function putRun(array $row): void
    {
        $this->attempt = null;
        $this->insert(Change::put(Change::RUNS, $row['attempts'], $row));
        $one = $this->database->table(Change::RUNS)->where('id', $row['id']);
        $lost = (clone $one)->where('attempts', '<', $row['attempts'])->lockForUpdate()->value('conversation_id');
        $one->where(static fn (Builder $query) => $query->where('attempts', '<', $row['attempts'])->orWhere(
            static fn (Builder $query) => $query->where('attempts', $row['attempts'])
                ->where('last_seq', '<=', $row['last_seq'])
                // What has ended does not run again.
                ->when($row['status'] === 'running', static fn (Builder $query) => $query->where('status', 'running')),
        ))->update(self::without($row, ['id', ...self::OF_ITS_BEGIN]));
        if ($lost !== null && $lost !== $row['conversation_id']) {
            $this->leave($lost);
        }
    }

    /** Removes a conversation that a lost attempt had begun, if no other run is one of it. */
    private function leave(string $conversation): void
    {
        if (!$this->database->table(Change::RUNS)->where('conversation_id', $conversation)->exists()) {
            $this->database->table(Change::CONVERSATIONS)->where('id', $conversation)->delete();
        }
    }

    /** @param array<string, mixed> $row */
    private function putConversation(array $row): void
    {
        if ($this->database->table(Change::CONVERSATIONS)->insertOrIgnore([$row]) === 1) {
            $this->created = $row['id'];

            return;
        }
        $one = fn (): Builder => $this->database->table(Change::CONVERSATIONS)->where('id', $row['id']);
        foreach (self::OF_ITS_FIRST_RUN as $column) {
            $row[$column] === null || $one()->whereNull($column)->update([$column => $row[$column]]);
        }
        $last = self::without($row, ['id', ...self::OF_ITS_BEGIN, ...self::OF_ITS_FIRST_RUN]);
        $known = array_filter($last, static fn (mixed $value): bool => $value !== null && $value !== '');
        $one()->where('updated_at', '<=', $row['updated_at'])->update($known);
    }

    /** Makes the row, unless its key is there already. */
    private function insert(Change $change): void
    {
        $keys = Change::KEYS[$change->table];
        // Not insertOrIgnore(), which ignores on MariaDB what does not fit, too.
        $this->database->table($change->table)->upsert([$change->row], $keys, [$keys[0]]);
    }

    /** Makes the row, or writes the one with its key anew. */
    private function upsert(Change $change): void
    {
        $keys = Change::KEYS[$change->table];
        $changed = array_keys(self::without($change->row, [...$keys, ...self::OF_ITS_BEGIN]));
        $this->database->table($change->table)->upsert([$change->row], $keys, $changed);
    }

    private function messages(): Builder
    {
        return $this->database->table(Change::MESSAGES)->where('run_id', $this->run);
    }

    /**
     * @param array<string, mixed> $row
     * @param list<string> $columns
     *
     * @return array<string, mixed>
     */
    private static function without(array $row, array $columns): array
    {
        return array_diff_key($row, array_flip($columns));
    }
}
