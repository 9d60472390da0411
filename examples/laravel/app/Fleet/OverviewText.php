<?php

declare(strict_types=1);

namespace App\Fleet;

use AgentWorkers\Fleet\Overview;
use AgentWorkers\Fleet\QueueStatus;

/** What the operator's page says of the whole fleet. */
final class OverviewText
{
    /** @return array{counts: array<string, int>, warnings: list<string>, ended: array<string, string>} */
    public static function of(Overview $seen): array
    {
        $sum = static fn (string $of): int => array_sum(array_map(
            static fn (QueueStatus $queue): int => $queue->{$of},
            $seen->queues,
        ));

        return [
            'counts' => [
                'running' => $sum('running'),
                'waiting' => $sum('waiting'),
                'scheduled' => $sum('scheduled'),
                'asking a person' => $sum('asking'),
                'failed for good' => $seen->dead,
            ],
            'warnings' => self::warnings($seen),
            'ended' => array_map(self::ended(...), $seen->queues),
        ];
    }

    /** @return list<string> what holds runs up */
    private static function warnings(Overview $seen): array
    {
        $warnings = [];
        foreach ($seen->queues as $name => $queue) {
            if ($queue->slots === 0 && $queue->waiting > 0) {
                $jobs = $queue->waiting === 1 ? 'a job waits' : "$queue->waiting jobs wait";
                $warnings[] = "No machine works on the queue $name, in which $jobs.";
            }
        }
        foreach ($seen->paused as $name => $till) {
            $whose = $name === '' ? "the machines' own key" : "the key $name";
            $isToday = $till->format('Ymd') === $seen->now->format('Ymd');
            $when = $till->format($isToday ? 'H:i:s' : 'j M Y, H:i');
            $warnings[] = "The API has limited $whose: its jobs wait until $when UTC.";
        }
        foreach ($seen->tenants as $name => $tenant) {
            $warnings[] = "The tenant $name has $tenant->running of at most $tenant->limit runs; "
                . "$tenant->waiting more " . ($tenant->waiting === 1 ? 'waits.' : 'wait.');
        }

        return $warnings;
    }

    private static function ended(QueueStatus $queue): string
    {
        $told = ['done' => 'done', 'aborted' => 'stopped', 'lost' => 'lost'];
        $counts = ['done' => 0, 'failed' => 0, 'stopped' => 0, 'lost' => 0];
        foreach ($queue->ended as $how => $count) {
            $counts[$told[$how] ?? 'failed'] += $count;
        }
        $parts = array_map(static fn (string $how, int $count): string => "$count $how", array_keys($counts), $counts);

        return implode(' · ', array_filter($parts, static fn (string $part): bool => !str_starts_with($part, '0 ')))
            ?: 'none has ended yet';
    }
}
