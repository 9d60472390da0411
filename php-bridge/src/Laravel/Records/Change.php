<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

/**
 * One write to the records. Made twice, it leaves what it leaves once.
 *
 * @internal
 */
final class Change
{
    public const RUNS = 'agent_runs';
    public const CONVERSATIONS = 'agent_conversations';
    public const MESSAGES = 'agent_messages';
    /** Columns by which rows are told apart. */
    public const KEYS = [
        self::RUNS => ['id'],
        self::CONVERSATIONS => ['id'],
        self::MESSAGES => ['run_id', 'attempt', 'seq', 'kind'],
        'agent_usage' => ['run_id', 'turn', 'model'],
        'agent_events' => ['run_id', 'attempt', 'seq'],
        'agent_insights' => ['run_id'],
    ];
    public const PUT = 'put';
    public const FORGET = 'forget';
    public const WITHDRAW = 'withdraw';

    /**
     * @param int $attempt of the run to which it belongs: once a later one has begun, it counts no more
     * @param array<string, mixed> $row as the database has it
     */
    private function __construct(
        public readonly string $kind,
        public readonly int $attempt,
        public readonly string $table = self::MESSAGES,
        public readonly array $row = [],
    ) {
    }

    /** @param array<string, mixed> $row all columns but the ids that the database gives */
    public static function put(string $table, int $attempt, array $row): self
    {
        return new self(self::PUT, $attempt, $table, $row);
    }

    /** The messages of the attempts before this one are removed. */
    public static function forget(int $attempt): self
    {
        return new self(self::FORGET, $attempt);
    }

    /** A text is removed, because its block was discarded. */
    public static function withdraw(int $attempt, int $seq): self
    {
        return new self(self::WITHDRAW, $attempt, row: ['attempt' => $attempt, 'seq' => $seq, 'kind' => 'text']);
    }

    /** @param array<string, mixed> $data */
    public static function fromArray(array $data): self
    {
        return new self((string) $data['kind'], (int) $data['attempt'], (string) $data['table'], (array) $data['row']);
    }

    /** @return array<string, mixed> */
    public function toArray(): array
    {
        return get_object_vars($this);
    }
}
