<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

use AgentWorkers\Laravel\Records\AgentEvent;
use AgentWorkers\Laravel\Records\AgentMessage;
use AgentWorkers\Laravel\Records\AgentRun;

/**
 * What an agent did in a run, as lines: each call, each decision and by whom, what it cost and when.
 *
 * @internal
 */
final class Timeline
{
    private const LONGEST = 160;
    /** Events that say what no message does. */
    private const TOLD = ['question_resolved', 'retry', 'notice', 'error', 'aborted'];

    /** @return list<string> */
    public static function of(AgentRun $run): array
    {
        // Of what one event has told: first the text that ended with it, then what it says itself.
        $messages = $run->messages->map(static fn (AgentMessage $message): array => [
            [$message->attempt, $message->seq, $message->kind === 'text' ? 0 : 1],
            $message->created_at,
            self::message($message),
        ]);
        $events = $run->events->whereIn('type', self::TOLD)->map(static fn (AgentEvent $event): array => [
            [$event->attempt, $event->seq, 2],
            $event->at,
            self::event($event),
        ]);
        $lines = $messages->concat($events)->sort(static fn (array $one, array $other): int => $one[0] <=> $other[0]);

        return [
            ...self::head($run),
            ...$lines->map(static fn (array $line): string
                => sprintf('  %8s  %s', self::since($run, $line[1]), $line[2]))->values()->all(),
            ...self::foot($run),
        ];
    }

    /** @return list<string> */
    private static function head(AgentRun $run): array
    {
        $who = array_filter(['user' => $run->user, 'tenant' => $run->tenant, 'goal' => $run->goal]);
        $what = $run->skill === null ? $run->worker : trim("$run->skill $run->skill_version") . " ($run->worker)";

        return [
            "$run->id  $what" . ($run->simulated ? '  simulated' : ''),
            '  ' . implode('  ', [
                $run->started_at->format('Y-m-d H:i:s') . ' UTC',
                ...array_map(
                    static fn (string $name): string => "$name: " . self::short($who[$name]),
                    array_keys($who),
                ),
            ]),
        ];
    }

    private static function message(AgentMessage $message): string
    {
        $by = $message->actor === null ? '' : " by $message->actor";
        $said = $message->content === null ? '' : ': ' . self::short($message->content);

        return match ($message->kind) {
            'tool_call' => "calls $message->name$said",
            'tool_result' => ($message->name ?? 'tool') . " $message->status$said",
            'permission' => "$message->name " . ($message->status === 'allow' ? 'allowed' : 'denied')
                . ($by === '' && is_array($message->content) ? ' by ' . ($message->content['by'] ?? '?') : $by),
            'steer' => "is told$by$said",
            'question' => "is asked$said",
            default => "says$said",
        };
    }

    private static function event(AgentEvent $event): string
    {
        $said = (array) $event->payload;
        $parts = [$event->type, $said['code'] ?? $said['reason'] ?? $said['by'] ?? null, $said['message'] ?? null];

        return self::short(implode(' ', array_filter($parts, is_string(...))));
    }

    /** @return list<string> */
    private static function foot(AgentRun $run): array
    {
        $lines = [sprintf(
            '%s%s  attempts: %d%s%s',
            $run->status,
            $run->code === null ? '' : " ($run->code)",
            $run->attempts,
            $run->duration_ms === null ? '' : sprintf('  %.1f s', $run->duration_ms / 1000),
            $run->cost_usd === null ? '' : sprintf('  $%.4f', $run->cost_usd),
        )];
        foreach ($run->usage as $usage) {
            $lines[] = sprintf(
                '  %s  in %s  out %s  cache read %s  cache write %s%s',
                $usage->model ?: 'unknown model',
                $usage->input_tokens ?? '?',
                $usage->output_tokens ?? '?',
                $usage->cache_read_input_tokens ?? '?',
                $usage->cache_creation_input_tokens ?? '?',
                $usage->cost_usd === null ? '' : sprintf('  $%.4f', $usage->cost_usd),
            );
        }

        return $lines;
    }

    private static function since(AgentRun $run, \DateTimeInterface $at): string
    {
        return sprintf('+%.1fs', max(0, (float) $at->format('U.v') - (float) $run->started_at->format('U.v')));
    }

    private static function short(mixed $value): string
    {
        $flags = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PARTIAL_OUTPUT_ON_ERROR;
        $text = is_string($value) ? $value : (string) json_encode($value, $flags);
        // What a model wrote must not move the cursor.
        $line = (string) preg_replace('/[\p{C}\s]+/u', ' ', $text);

        return mb_strimwidth($line, 0, self::LONGEST, '…');
    }
}
