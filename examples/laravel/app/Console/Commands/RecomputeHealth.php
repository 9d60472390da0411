<?php

declare(strict_types=1);

namespace App\Console\Commands;

use AgentWorkers\Exception\BatchFailedException;
use AgentWorkers\Exception\BatchStoppedException;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use App\Health\EconomyWork;
use App\Health\LiveWork;
use App\Health\PartnerHealth;
use App\Health\Work;
use App\Models\HealthRequest;
use App\Models\Partner;
use App\Models\Recomputation;
use Illuminate\Console\Command;
use Illuminate\Support\Carbon;
use Illuminate\Support\Str;
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
    private const ENGINES = ['agent', 'messages'];
    private const UNITS = ['d' => 'days', 'h' => 'hours', 'm' => 'minutes'];
    private const FORMAT = ' %current%/%max% [%bar%] %elapsed:6s% %message%';

    /** @var string */
    protected $signature = 'partners:recompute-health
        {--all : All partners; goes on where it was killed}
        {--stale= : Only those whose health was computed longer ago, such as 7d or 12h}
        {--partner= : This partner alone}
        {--engine=messages : What runs the skill: messages, which needs a fraction of the time and memory, or agent}
        {--economy : At half the price, within a day; start it again for what has come, such as every hour}
        {--concurrency= : How many at once; by default as many as fit here}
        {--max-cost-usd= : Begin no more runs once all have cost that}';

    /** @var string */
    protected $description = 'Compute the health of partners anew and store it';

    /** How many are out in the economy lane. */
    private int $pending = 0;
    /** @var list<string> what agent-batch has to say, such as why partners are not for the economy lane */
    private array $notes = [];

    public function handle(PartnerHealth $health): int
    {
        $refusal = $this->refusal();
        if ($refusal !== null) {
            return $this->refuse($refusal);
        }
        $engine = (string) $this->option('engine');
        $stale = $this->option('stale');
        $age = $stale === null ? null : self::age((string) $stale);

        return match (true) {
            $this->option('partner') !== null => $this->one($health, (string) $this->option('partner'), $engine),
            (bool) $this->option('economy') => $this->recompute(
                Recomputation::current($age),
                static fn (Recomputation $begun): Work => new EconomyWork($health, $begun),
            ),
            $age !== null => $this->compute(new LiveWork($health, $age, $engine, 'stale-' . Str::uuid())),
            default => $this->recompute(
                Recomputation::current(),
                static fn (Recomputation $begun): Work
                    => new LiveWork($health, $begun->since, $engine, $begun->runs()),
            ),
        };
    }

    /** Says what is wrong with the options. */
    private function refusal(): ?string
    {
        ['partner' => $partner, 'stale' => $stale, 'engine' => $engine, 'economy' => $isEconomy] = $this->options();
        $isOut = static fn (): bool => HealthRequest::query()->exists();

        return match (true) {
            ($partner !== null) === ($this->option('all') || $stale !== null)
                => 'Say --all, or --partner=ID. With --all, --stale=7d leaves out what is newer.',
            $stale !== null && self::age((string) $stale) === null
                => "--stale=$stale is no age. Write days or hours: 7d, 12h.",
            !in_array($engine, self::ENGINES, true) => "--engine=$engine is no engine. Say agent or messages.",
            $isEconomy && $partner !== null => '--economy is for many. Say --all, or leave it out.',
            $isEconomy && $engine !== EconomyWork::ENGINE => '--economy needs --engine=' . EconomyWork::ENGINE . '.',
            !$isEconomy && $partner === null && $isOut()
                => 'What was sent to the economy lane is out. Say --economy to go on with it.',
            default => null,
        };
    }

    private function one(PartnerHealth $health, string $id, string $engine): int
    {
        $partner = Partner::query()->find($id);
        if ($partner === null) {
            return $this->refuse("There is no partner $id.");
        }
        $input = $health->input($partner);
        try {
            $health->store($id, $input, $health->run($partner, $input)->engine($engine)->run());
        } catch (RunFailedException | RunAbortedException $failure) {
            $health->failed($id, $failure->getMessage());
            $this->error(OutputFormatter::escape("$id: {$failure->getMessage()}"));

            return $failure instanceof RunFailedException && $failure->isRetryable() ? self::RETRYABLE : self::FAILED;
        }
        $this->info("$id: " . $partner->metrics()->value('health_score'));

        return self::SUCCESS;
    }

    /** @param \Closure(Recomputation): Work $work */
    private function recompute(Recomputation $recomputation, \Closure $work): int
    {
        $recomputation->wasRecentlyCreated
            || $this->line("Going on with what began at {$recomputation->since->toDateTimeString()}.");
        $status = $this->compute($work($recomputation));
        if (in_array($status, [self::SUCCESS, self::FAILED], true) && $this->pending === 0) {
            $recomputation->end(); // what has failed would fail again
        }

        return $status;
    }

    private function compute(Work $work): int
    {
        $count = $work->count();
        if ($count === 0) {
            $this->line('Nothing is left to compute.');

            return self::SUCCESS;
        }
        $bar = $this->output->createProgressBar($count);
        $bar->setFormat(self::FORMAT);
        $bar->setMessage('');
        $bar->start();
        try {
            $status = $this->takeAll($work, $bar);
        } catch (BatchStoppedException | Interrupted $stopped) {
            $status = self::STOPPED;
        } catch (BatchFailedException $broken) {
            $status = $broken->isRetryable() ? self::RETRYABLE : self::REFUSED;
        }
        $bar->display();
        $this->newLine();
        $reason = $stopped ?? $broken ?? null;
        $reason === null || $this->error(OutputFormatter::escape($reason->getMessage()));
        foreach ($this->notes as $note) {
            $this->warn(OutputFormatter::escape("agent-batch: $note"));
        }
        $this->pending === 0 || $this->line("$this->pending are out. Start it again for what has come by then.");

        return $status;
    }

    private function takeAll(Work $work, ProgressBar $bar): int
    {
        $failed = 0;
        $number = static fn (?string $option): int|float|null => $option === null ? null : $option + 0;
        $batch = $work->begin($number($this->option('concurrency')), $number($this->option('max-cost-usd')));
        $this->interruptible();
        try {
            foreach ($batch as $id => $result) {
                $message = $work->take((string) $id, $result);
                if ($message !== null) {
                    $bar->setMessage(++$failed . ' failed');
                    $bar->clear();
                    $this->line(OutputFormatter::escape("$id: $message"));
                }
                $bar->advance();
            }
        } finally {
            $this->pending = $batch->pending() ?? 0;
            $this->notes = $batch->totals()->notes ?? [];
        }

        return $failed === 0 ? self::SUCCESS : self::FAILED;
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
