<?php

declare(strict_types=1);

namespace App\Records;

use AgentWorkers\Laravel\Records\AgentMessage;
use AgentWorkers\Laravel\Records\AgentRun;

/** A recorded run, in words. */
final class RecordedRun
{
    private const TONES = ['running' => 'now', 'done' => 'good', 'error' => 'bad', 'aborted' => ''];

    public function __construct(public readonly AgentRun $run)
    {
    }

    public function tone(): string
    {
        return self::TONES[$this->run->status] ?? '';
    }

    public function state(): string
    {
        return $this->run->code ?? $this->run->status;
    }

    public function what(): string
    {
        $parts = [
            $this->run->skill ?? $this->run->worker,
            $this->run->cost_usd === null ? null : sprintf('$%.4f', $this->run->cost_usd),
            $this->run->duration_ms === null ? null : sprintf('%.1f s', $this->run->duration_ms / 1000),
        ];

        return implode(' · ', array_filter($parts));
    }

    /** @return array<string, string> */
    public function facts(): array
    {
        $run = $this->run;
        $tokens = $run->usage->map(static fn ($used): string
            => sprintf('%s: %d in, %d out', $used->model ?: 'unknown', $used->input_tokens, $used->output_tokens));

        return array_filter([
            'Worker' => trim("$run->worker $run->worker_version"),
            'Skill' => trim("$run->skill $run->skill_version"),
            'Conversation' => (string) $run->conversation?->title,
            'User' => (string) $run->user,
            'Tenant' => (string) $run->tenant,
            'About' => implode(' ', (array) $run->subject),
            'Model' => (string) $run->model,
            'Attempts' => (string) $run->attempts,
            'Cost' => $run->cost_usd === null ? '' : sprintf('$%.6f', $run->cost_usd),
            'Took' => $run->duration_ms === null ? '' : sprintf('%.1f s', $run->duration_ms / 1000),
            'Tokens' => $tokens->implode('; '),
        ]);
    }

    /** @return list<array{string, string, string}> since when, what happened, and what was said */
    public function steps(): array
    {
        return $this->run->messages->map(fn (AgentMessage $message): array => [
            sprintf('+%.1f s', max(0, $this->run->started_at->diffInMilliseconds($message->created_at, false) / 1000)),
            self::happened($message),
            $message->kind === 'permission' || $message->content === null ? '' : self::said($message->content),
        ])->all();
    }

    private static function happened(AgentMessage $message): string
    {
        $by = $message->actor === null ? '' : " by $message->actor";

        return match ($message->kind) {
            'question' => 'Asked',
            'tool_call' => "Calls $message->name",
            'tool_result' => "$message->name: $message->status",
            'permission' => "$message->name: " . ($message->status === 'allow' ? "allowed$by" : "denied$by"),
            'steer' => "Told$by",
            default => 'Says',
        };
    }

    private static function said(mixed $content): string
    {
        $flags = JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PARTIAL_OUTPUT_ON_ERROR;

        return is_string($content) ? $content : (string) json_encode($content, $flags);
    }
}
