<?php

declare(strict_types=1);

namespace App\Runs;

use AgentWorkers\Laravel\Records\AgentMessage;
use AgentWorkers\Laravel\Records\AgentRun;
use AgentWorkers\Laravel\Records\AgentUsage;
use Illuminate\Support\Carbon;

/** A recorded run in the words of the page. */
final class RunText
{
    private const TONES = ['running' => 'now', 'done' => 'good', 'error' => 'bad'];
    private const LONGEST_TITLE = 90;

    public function __construct(public readonly AgentRun $run)
    {
    }

    /** What was asked, in one line; its id where that is not kept. */
    public function title(): string
    {
        $question = $this->run->messages->firstWhere('kind', 'question');
        $line = $question === null ? '' : self::line(self::words($question));

        return $line === '' ? $this->run->id : mb_strimwidth($line, 0, self::LONGEST_TITLE, '…');
    }

    public function state(): string
    {
        return Selection::STATUSES[$this->run->status] ?? $this->run->status;
    }

    public function tone(): string
    {
        return self::TONES[$this->run->status] ?? 'still';
    }

    public function isRunning(): bool
    {
        return $this->run->status === 'running';
    }

    /** Why it did not end well, as its code has it. */
    public function code(): ?string
    {
        return $this->run->code === null ? null : str_replace('_', ' ', $this->run->code);
    }

    /** What ran it and for whom, how long and at what cost. */
    public function about(): string
    {
        return implode(' · ', array_filter([
            $this->worker(),
            $this->run->user,
            $this->run->tenant,
            $this->run->duration_ms === null ? null : self::duration($this->run->duration_ms),
            $this->run->cost_usd === null ? null : self::usd($this->run->cost_usd),
        ]));
    }

    /** @return array{string, Carbon} */
    public function moment(): array
    {
        $at = $this->run->ended_at;

        return [$at === null ? 'began' : 'ended', Carbon::instance($at ?? $this->run->started_at)->locale('en')];
    }

    /** @return array<string, string> */
    public function facts(): array
    {
        $run = $this->run;
        $at = static fn (?\DateTimeInterface $time): ?string
            => $time === null ? null : $time->format('j M Y, H:i:s') . ' UTC';

        return array_filter([
            'Run' => $run->id,
            'Worker' => trim("$run->worker $run->worker_version"),
            'Skill' => trim("$run->skill $run->skill_version"),
            'Model' => $run->model . ($run->simulated ? ' (simulated)' : ''),
            'User' => $run->user,
            'Tenant' => $run->tenant,
            'About' => $run->subject === null ? null : implode(' ', $run->subject),
            'Goal' => $run->goal,
            'Began' => $at($run->started_at),
            'Ended' => $at($run->ended_at),
            'Took' => $run->duration_ms === null ? null : self::duration($run->duration_ms),
            'Attempts' => (string) $run->attempts,
            'Turns' => $run->turns === null ? null : (string) $run->turns,
            'Cost, estimated' => $run->cost_usd === null ? null : self::usd($run->cost_usd),
        ], static fn (?string $fact): bool => $fact !== null && $fact !== '');
    }

    /** @return list<array<string, string>> tokens and cost by model */
    public function usage(): array
    {
        $count = static fn (?int $tokens): string => $tokens === null ? '–' : number_format($tokens);

        return $this->run->usage->where('turn', 0)->map(static fn (AgentUsage $used): array => [
            'Model' => $used->model ?: 'unknown',
            'In' => $count($used->input_tokens),
            'Out' => $count($used->output_tokens),
            'Cache read' => $count($used->cache_read_input_tokens),
            'Cache written' => $count($used->cache_creation_input_tokens),
            'Cost' => $used->cost_usd === null ? '–' : self::usd($used->cost_usd),
        ])->values()->all();
    }

    /** Words that a message has, or what else was said as JSON. */
    public static function words(AgentMessage $message): string
    {
        $said = $message->content;
        if (is_array($said) && array_is_list($said)) { // content blocks
            $texts = array_filter(array_column($said, 'text'), is_string(...));
            $said = $texts === [] ? $said : implode("\n\n", $texts);
        }

        if ($said === null || is_string($said)) {
            return (string) $said;
        }
        $flags = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PARTIAL_OUTPUT_ON_ERROR;
        $line = (string) json_encode($said, $flags);

        return mb_strlen($line) <= self::LONGEST_TITLE ? $line : (string) json_encode($said, $flags | JSON_PRETTY_PRINT);
    }

    /** One line of it, without what would change how others are read. */
    public static function line(string $text): string
    {
        return trim((string) preg_replace('/[\p{C}\s]+/u', ' ', $text));
    }

    public static function usd(float $amount): string
    {
        return '$' . number_format($amount, $amount == 0 || $amount >= 1 ? 2 : 4);
    }

    public static function duration(int $ms): string
    {
        $s = intdiv($ms, 1000);

        return match (true) {
            $s < 60 => sprintf('%.1f s', $ms / 1000),
            $s < 3600 => sprintf('%d min %02d s', intdiv($s, 60), $s % 60),
            default => sprintf('%d h %02d min', intdiv($s, 3600), intdiv($s % 3600, 60)),
        };
    }

    private function worker(): string
    {
        return $this->run->skill === null ? $this->run->worker : "{$this->run->worker}: {$this->run->skill}";
    }
}
