<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use AgentWorkers\Event\EventFactory;
use AgentWorkers\Laravel\Words;
use Illuminate\Support\Collection;

/**
 * A conversation as its owner's browser gets it.
 *
 * @internal
 */
final class History
{
    /** @return array<string, mixed> */
    public static function summary(AgentConversation $conversation): array
    {
        return [
            'id' => $conversation->id,
            'session' => $conversation->session_id,
            'title' => $conversation->title,
            'worker' => $conversation->worker,
            'subject' => $conversation->subject,
            'created_at' => self::time($conversation->created_at),
            'updated_at' => self::time($conversation->updated_at),
        ];
    }

    /**
     * @param list<AgentRun> $runs
     *
     * @return list<array<string, mixed>> with what was said in each, the oldest first
     */
    public static function runs(array $runs): array
    {
        $ids = array_map(static fn (AgentRun $run): string => $run->id, $runs);
        $said = AgentMessage::query()->whereIn('run_id', $ids)
            ->orderBy('attempt')->orderBy('seq')->orderBy('id')->get()->groupBy('run_id');

        $errors = AgentEvent::query()->whereIn('run_id', $ids)->where('type', 'error')->orderBy('attempt')->get()
            ->keyBy('run_id');

        return array_map(static fn (AgentRun $run): array => [
            'id' => $run->id,
            'status' => $run->status,
            'code' => $run->code,
            'error' => $run->status === 'error' ? self::error($run, $errors->get($run->id)) : null,
            'stop_reason' => $run->stop_reason,
            'started_at' => self::time($run->started_at),
            'ended_at' => self::time($run->ended_at),
            'messages' => self::messages($said->get($run->id, new Collection())),
        ], array_reverse($runs));
    }

    /** @return string what the visitor was told, as far as that is kept */
    private static function error(AgentRun $run, ?AgentEvent $told): string
    {
        $said = (array) $told?->payload;

        return Words::ofFailure(EventFactory::compose($run->id, max(1, $run->last_seq), 'error', [
            'code' => (string) $run->code,
            'message' => $said['message'] ?? Words::of('refused.failed'),
            'retryable' => ($said['retryable'] ?? false) === true,
        ]));
    }

    /**
     * @param Collection<int, AgentMessage> $messages
     *
     * @return list<array<string, mixed>>
     */
    private static function messages(Collection $messages): array
    {
        return $messages->map(static fn (AgentMessage $message): array => [
            'seq' => $message->seq,
            'role' => $message->role,
            'kind' => $message->kind,
            'content' => $message->content,
        ] + array_filter([
            'name' => $message->name,
            'tool_use_id' => $message->tool_use_id,
            'status' => $message->status,
            'actor' => $message->actor,
        ], static fn (?string $value): bool => $value !== null) + [
            'at' => self::time($message->created_at),
        ])->values()->all();
    }

    private static function time(?\DateTimeInterface $time): ?string
    {
        return $time?->format('Y-m-d\TH:i:s.v\Z');
    }
}
