<?php

declare(strict_types=1);

namespace App\Console\Commands;

use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use App\Health\PartnerHealth;
use App\Models\Partner;
use Illuminate\Console\Command;
use Symfony\Component\Console\Formatter\OutputFormatter;

/** For those who write a skill: what it says of a real partner. Nothing is stored. */
final class TestSkill extends Command
{
    private const REFUSED = 2;
    private const RETRYABLE = 75;

    /** @var string */
    protected $signature = 'agent:test-skill
        {--skill=partner-health : Its name; it gets what is known of the partner}
        {--partner= : The id of a partner}';

    /** @var string */
    protected $description = 'Run a skill on a partner and show what it says, without storing it';

    public function handle(PartnerHealth $health): int
    {
        $partner = Partner::query()->find($this->option('partner'));
        if ($partner === null) {
            $ids = Partner::query()->orderBy('id')->limit(12)->pluck('id')->implode(', ');
            $this->error(OutputFormatter::escape("There is no such partner. Say --partner=ID, one of: $ids."));

            return self::REFUSED;
        }
        try {
            $done = $health->run($partner, $health->input($partner), (string) $this->option('skill'))->run();
        } catch (RunFailedException | RunAbortedException $failure) {
            return $this->tell($failure);
        }
        $json = JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR;
        $this->line(OutputFormatter::escape(json_encode($done->output, $json)));
        $this->comment(implode(', ', array_filter([
            trim("$done->skill $done->skillVersion"),
            $done->needsReview === true ? 'needs review' : null,
            $done->costUsd === null ? null : sprintf('%.4f USD', $done->costUsd),
            sprintf('%.1f s', $done->durationMs / 1000),
        ])));

        return self::SUCCESS;
    }

    private function tell(RunFailedException|RunAbortedException $failure): int
    {
        $event = $failure->event;
        $this->error(OutputFormatter::escape($failure->getMessage()));
        foreach ($event->details ?? [] as $problem) {
            $this->line(OutputFormatter::escape("{$problem['pointer']} {$problem['message']}"));
        }
        $status = match ($event->code ?? null) {
            'invalid_request' => self::REFUSED,
            default => self::FAILURE,
        };

        return $failure instanceof RunFailedException && $failure->isRetryable() ? self::RETRYABLE : $status;
    }
}
