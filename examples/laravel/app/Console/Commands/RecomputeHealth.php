<?php

declare(strict_types=1);

namespace App\Console\Commands;

use AgentWorkers\Batch\BatchResult;
use AgentWorkers\Exception\BatchFailedException;
use AgentWorkers\Exception\BatchStoppedException;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\PendingRun;
use App\Health\PartnerHealth;
use App\Models\Partner;
use App\Models\Recomputation;
use Illuminate\Console\Command;
use Illuminate\Database\Eloquent\Builder;
use Illuminate\Support\Carbon;
use Illuminate\Support\LazyCollection;
use Symfony\Component\Console\Formatter\OutputFormatter;
use Symfony\Component\Console\Helper\ProgressBar;

/**
 * However many partners there are, few are in memory, and each is stored as soon as it is known. The database alone
 * says what is left to do: a command that was killed goes on when it is started again.
 */
final class RecomputeHealth extends Command
{
    private const FAILED = 1;
    private const REFUSED = 2;
    private const STOPPED = 3;
    private const RETRYABLE = 75;
    private const UNITS = ['d' => 'days', 'h' => 'hours', 'm' => 'minutes'];
    private const FORMAT = ' %current%/%max% [%bar%] %elapsed:6s% %message%';

    /** @var string */
    protected $signature = 'partners:recompute-health
        {--all : All partners; goes on where it was killed}
        {--stale= : Only those whose health was computed longer ago, such as 7d or 12h}
        {--partner= : This partner alone}
        {--concurrency= : How many at once; by default as many as fit here}
        {--max-cost-usd= : Begin no more runs once all have cost that}';

    /** @var string */
    protected $description = 'Compute the health of partners anew and store it';

    /** @var array<string, array<string, mixed>> inputs of the runs under way */
    private array $inputs = [];

    public function handle(PartnerHealth $health): int
    {
        $partner = $this->option('partner');
        $stale = $this->option('stale');
        if (($partner !== null) === ($this->option('all') || $stale !== null)) {
            return $this->refuse('Say --all, or --partner=ID. With --all, --stale=7d leaves out what is newer.');
        }
        if ($partner !== null) {
            return $this->one($health, (string) $partner);
        }
        $age = $stale === null ? null : self::age((string) $stale);
        if ($stale !== null && $age === null) {
            return $this->refuse("--stale=$stale is no age. Write days or hours: 7d, 12h.");
        }

        return $age === null ? $this->all($health, Recomputation::current()) : $this->since($health, $age);
    }

    private function one(PartnerHealth $health, string $id): int
    {
        $partner = Partner::query()->find($id);
        if ($partner === null) {
            return $this->refuse("There is no partner $id.");
        }
        $input = $health->input($partner);
        try {
            $health->store($id, $input, $health->run($partner, $input)->run());
        } catch (RunFailedException | RunAbortedException $failure) {
            $health->failed($id, $failure->getMessage());
            $this->error(OutputFormatter::escape("$id: {$failure->getMessage()}"));

            return $failure instanceof RunFailedException && $failure->isRetryable() ? self::RETRYABLE : self::FAILED;
        }
        $this->info("$id: " . $partner->metrics()->value('health_score'));

        return self::SUCCESS;
    }

    private function all(PartnerHealth $health, Recomputation $recomputation): int
    {
        $recomputation->wasRecentlyCreated
            || $this->line("Going on with what began at {$recomputation->since->toDateTimeString()}.");
        $status = $this->since($health, $recomputation->since);
        if (in_array($status, [self::SUCCESS, self::FAILED], true)) {
            $recomputation->update(['ended_at' => now()]); // what has failed would fail again
        }

        return $status;
    }

    private function since(PartnerHealth $health, Carbon $since): int
    {
        $left = Partner::query()->with('metrics', 'notes')->whereDoesntHave(
            'metrics',
            static fn (Builder $metrics): Builder => $metrics->where('health_at', '>=', $since),
        );
        $count = $left->count();
        if ($count === 0) {
            $this->line('Nothing is left to compute.');

            return self::SUCCESS;
        }
        $bar = $this->output->createProgressBar($count);
        $bar->setFormat(self::FORMAT);
        $bar->setMessage('');
        $bar->start();
        try {
            $status = $this->takeAll($health, $left->lazyById(), $bar);
        } catch (BatchStoppedException | Interrupted $stopped) {
            $status = self::STOPPED;
        } catch (BatchFailedException $broken) {
            $status = $broken->isRetryable() ? self::RETRYABLE : self::REFUSED;
        }
        $bar->display();
        $this->newLine();
        $reason = $stopped ?? $broken ?? null;
        $reason === null || $this->error(OutputFormatter::escape($reason->getMessage()));

        return $status;
    }

    /** @param LazyCollection<int, Partner> $partners */
    private function takeAll(PartnerHealth $health, LazyCollection $partners, ProgressBar $bar): int
    {
        $failed = 0;
        $this->interruptible();
        foreach ($this->results($health, $partners) as $id => $result) {
            $message = $this->take($health, (string) $id, $result);
            if ($message !== null) {
                $bar->setMessage(++$failed . ' failed');
                $bar->clear();
                $this->line(OutputFormatter::escape("$id: $message"));
            }
            $bar->advance();
        }

        return $failed === 0 ? self::SUCCESS : self::FAILED;
    }

    /**
     * @param LazyCollection<int, Partner> $partners
     *
     * @return LazyCollection<string, BatchResult>
     */
    private function results(PartnerHealth $health, LazyCollection $partners): LazyCollection
    {
        $request = function (Partner $partner) use ($health): PendingRun {
            $this->inputs[$partner->id] = $health->input($partner);

            return $health->run($partner, $this->inputs[$partner->id]);
        };
        $number = static fn (?string $option): int|float|null => $option === null ? null : $option + 0;

        return Agent::batch(
            $partners->mapWithKeys(static fn (Partner $partner): array => [$partner->id => $request($partner)]),
            concurrency: $number($this->option('concurrency')),
            maxCostUsd: $number($this->option('max-cost-usd')),
        );
    }

    /** @return string|null why it has failed */
    private function take(PartnerHealth $health, string $id, BatchResult $result): ?string
    {
        $input = $this->inputs[$id];
        unset($this->inputs[$id]);
        if ($result->isDone()) {
            $health->store($id, $input, $result);

            return null;
        }
        if ($result->error !== null) {
            $health->failed($id, $result->error->message);
        }

        return $result->error->message ?? 'It was stopped.';
    }

    private function refuse(string $message): int
    {
        $this->error(OutputFormatter::escape($message));

        return self::REFUSED;
    }

    /** Ctrl-C ends the runs under way, too. */
    private function interruptible(): void
    {
        if (function_exists('pcntl_async_signals')) {
            pcntl_async_signals(true);
            foreach ([SIGINT, SIGTERM] as $signal) {
                pcntl_signal($signal, static fn () => throw new Interrupted());
            }
        }
    }

    private static function age(string $words): ?Carbon
    {
        $isAge = preg_match('/^(\d{1,6})([dhm])$/', $words, $parts) === 1;

        return $isAge ? now()->sub(self::UNITS[$parts[2]], (int) $parts[1]) : null;
    }
}
