<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use AgentWorkers\Event\Event;

/**
 * What a run has come to: its tokens and their price, what a skill has found, and the events that are kept as such.
 *
 * @internal
 */
final class Outcome
{
    private const COUNTS = [
        'input_tokens', 'output_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens',
    ];

    public function __construct(private readonly Keeping $keeping, private readonly Facts $facts)
    {
    }

    /** @return list<Change> of the terminal event */
    public function of(Event $event, RunRow $run, int $attempt): array
    {
        $insight = $this->insight($event, $run);
        $rows = array_map(
            static fn (array $row): Change => Change::put('agent_usage', $attempt, $row),
            self::usage($event, $run->columns),
        );

        return $insight === null ? $rows : [...$rows, Change::put('agent_insights', $attempt, $insight)];
    }

    /** @return list<Change> */
    public function kept(Event $event, int $attempt, string $at): array
    {
        return !$this->keeping->keepsEvent($event->type) ? [] : [Change::put('agent_events', $attempt, [
            'run_id' => Columns::name($this->facts->run),
            'attempt' => $attempt,
            'seq' => $event->seq,
            'aggregate_id' => null,
            'type' => Columns::name($event->type),
            'payload' => $this->keeping->payload($event, $this->facts->isOfTool()),
            'at' => $at,
        ])];
    }

    /**
     * @param array<string, mixed> $run
     *
     * @return list<array<string, mixed>> a row for each model; one of the run's model where the event names none
     */
    private static function usage(Event $event, array $run): array
    {
        [$models, $usage] = [$event->data['models'] ?? null, $event->data['usage'] ?? null];
        $cost = $event->data['cost_usd'] ?? null;
        if (is_array($models) && $models !== []) {
            ksort($models, SORT_STRING);
            $used = array_filter($models, is_array(...));

            return array_map(
                static fn (int|string $model): array => self::row((string) $model, $used[$model], $run),
                array_keys($used),
            );
        }
        $used = ['cost_usd' => $cost] + (is_array($usage) ? $usage : []);
        $row = self::row((string) $run['model'], $used, $run);
        $known = array_intersect_key($row, array_flip([...self::COUNTS, 'cost_usd']));

        return array_filter($known, static fn (mixed $value): bool => $value !== null) === [] ? [] : [$row];
    }

    /**
     * @param array<array-key, mixed> $used
     * @param array<string, mixed> $run
     *
     * @return array<string, mixed>
     */
    private static function row(string $model, array $used, array $run): array
    {
        $counts = array_map(
            static fn (string $name): ?int => Columns::count($used[$name] ?? null),
            array_combine(self::COUNTS, self::COUNTS),
        );

        return ['run_id' => $run['id'], 'turn' => 0, 'model' => Columns::name($model) ?? '']
            + $counts
            + ['cost_usd' => Columns::money($used['cost_usd'] ?? null)]
            + array_intersect_key($run, ['user' => true, 'tenant' => true, 'skill' => true])
            + ['at' => $run['ended_at']];
    }

    /** @return array<string, mixed>|null null where there is no output, or no skill ran */
    private function insight(Event $event, RunRow $run): ?array
    {
        $said = (array) $event->jsonSerialize();
        $isFound = $event->type === 'done' && isset($said['output']) && $run->columns['skill'] !== null;

        return !$isFound || !$this->keeping->hasContent() ? null : [
            'run_id' => $run->columns['id'],
            'skill' => $run->columns['skill'],
            'skill_version' => $run->columns['skill_version'],
            'subject' => $run->columns['subject'],
            'subject_key' => Columns::subjectKey(json_decode((string) $run->columns['subject'])),
            'output' => $this->keeping->output($said['output']),
            'needs_review' => isset($said['needs_review']) ? Content::json($said['needs_review']) : null,
            'created_at' => $run->columns['ended_at'],
        ];
    }
}
