<?php

declare(strict_types=1);

namespace App\Runs;

use AgentWorkers\Laravel\Records\AgentEvent;
use AgentWorkers\Laravel\Records\AgentMessage;
use AgentWorkers\Laravel\Records\AgentRun;

/** What an agent did in a run, step by step: the facts of `php artisan agent:run ID`. */
final class Timeline
{
    private const LONGEST = 20_000;
    /** Characters up to which what was said is shown at once. */
    private const SHORT = 280;
    /** Events that say what no message does. */
    private const TOLD = ['question_resolved', 'retry', 'notice', 'error', 'aborted'];
    private const TONES = ['allow' => 'good', 'deny' => 'bad', 'error' => 'bad', 'denied' => 'bad'];

    /** @return list<array{since: string, what: string, tone: string, said: string, isLong: bool}> */
    public static function of(AgentRun $run): array
    {
        // Of what one event has told: first the text that ended with it, then what it says itself.
        $messages = $run->messages->map(static fn (AgentMessage $message): array => [
            [$message->attempt, $message->seq, $message->kind === 'text' ? 0 : 1],
            self::step($run, $message->created_at, self::what($message), self::tone($message), self::said($message)),
        ]);
        $events = $run->events->whereIn('type', self::TOLD)->map(static fn (AgentEvent $event): array => [
            [$event->attempt, $event->seq, 2],
            self::step($run, $event->at, self::happened($event), $event->type === 'error' ? 'bad' : 'still', (string) (
                is_string($event->payload['message'] ?? null) ? $event->payload['message'] : ''
            )),
        ]);

        return $messages->toBase()->concat($events)
            ->sort(static fn (array $one, array $other): int => $one[0] <=> $other[0])
            ->pluck(1)->values()->all();
    }

    /** @return array{since: string, what: string, tone: string, said: string, isLong: bool} */
    private static function step(AgentRun $run, \DateTimeInterface $at, string $what, string $tone, string $said): array
    {
        $since = max(0, (float) $at->format('U.v') - (float) $run->started_at->format('U.v'));
        $text = mb_strlen($said) > self::LONGEST ? mb_substr($said, 0, self::LONGEST) . "\n…" : $said;

        return [
            'since' => sprintf('+%.1f s', $since),
            'what' => RunText::line($what),
            'tone' => $tone,
            'said' => $text,
            'isLong' => mb_strlen($text) > self::SHORT || substr_count($text, "\n") > 5,
        ];
    }

    private static function what(AgentMessage $message): string
    {
        $by = $message->actor === null ? '' : " by $message->actor";
        $name = $message->name ?? 'tool';

        return match ($message->kind) {
            'question' => 'Is asked',
            'tool_call' => "Calls $name",
            'tool_result' => "$name: " . ($message->status ?? 'result'),
            'permission' => "$name " . ($message->status === 'allow' ? 'allowed' : 'denied')
                . ($by === '' && is_array($message->content) ? ' by ' . ($message->content['by'] ?? '?') : $by),
            'steer' => "Is told$by",
            default => 'Says',
        };
    }

    private static function tone(AgentMessage $message): string
    {
        return match (true) {
            isset(self::TONES[$message->status ?? '']) => self::TONES[$message->status],
            $message->role === 'user' => 'now',
            default => 'still',
        };
    }

    private static function said(AgentMessage $message): string
    {
        return $message->kind === 'permission' ? '' : RunText::words($message);
    }

    private static function happened(AgentEvent $event): string
    {
        $said = (array) $event->payload;
        $why = $said['code'] ?? $said['reason'] ?? $said['by'] ?? null;
        $names = ['question_resolved' => 'Question answered', 'aborted' => 'Stopped', 'error' => 'Failed'];

        return ($names[$event->type] ?? ucfirst($event->type)) . (is_string($why) ? ': ' . str_replace('_', ' ', $why) : '');
    }
}
