<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

use AgentWorkers\Laravel\Fleet\FleetAccess;
use AgentWorkers\Laravel\Fleet\JobRecords;
use AgentWorkers\Laravel\Records\AgentConversation;
use AgentWorkers\Laravel\Records\AgentEvent;
use AgentWorkers\Laravel\Records\AgentInsight;
use AgentWorkers\Laravel\Records\AgentMessage;
use AgentWorkers\Laravel\Records\AgentRun;
use AgentWorkers\Laravel\Records\AgentUsage;
use AgentWorkers\Laravel\Records\Content;
use AgentWorkers\Laravel\Records\Recorder;
use AgentWorkers\Laravel\Records\Removal;
use AgentWorkers\Laravel\Records\Settings;
use AgentWorkers\Laravel\Records\UtcTime;
use Carbon\CarbonImmutable;
use Illuminate\Console\Command;
use Illuminate\Contracts\Container\Container;
use Illuminate\Database\Eloquent\Builder;
use Symfony\Component\Console\Output\OutputInterface;

final class RecordsCommand extends Command
{
    use TellsErrors;

    private const AGE = '/^(\d{1,5})([dhm])$/D';
    private const SECONDS = ['d' => 86_400, 'h' => 3_600, 'm' => 60];

    /** @var string */
    protected $signature = 'agent:records
        {do : flush writes what waits; prune deletes old runs; forget deletes those of a user; export writes lines}
        {--older-than= : Age of runs to prune, such as 90d, 12h or 30m}
        {--user= : Id of the user to forget, or to export}
        {--tenant= : The tenant to forget, or to export}
        {--force : Do not ask}';

    /** @var string */
    protected $description = 'Write, delete and export what is recorded of agents';

    public function handle(Container $app, Settings $settings): int
    {
        if (!$settings->isOn()) {
            return $this->refuse('Records are switched off. Set AGENT_WORKERS_RECORDS=true.');
        }
        try {
            return match ($this->argument('do')) {
                'flush' => $this->flush($app),
                'prune' => $this->prune($app->make(Removal::class)),
                'forget' => $this->forget($app),
                'export' => $this->export(),
                default => $this->refuse('Say what to do: flush, prune, forget or export.'),
            };
        } catch (\PDOException | \InvalidArgumentException) { // the second one of a file of SQLite that is not there
            return $this->refuse(
                'The records\' database cannot be reached, or lacks the tables: run `php artisan migrate`.',
            );
        }
    }

    private function flush(Container $app): int
    {
        $lines = $app->make(Recorder::class)->flush();
        $runs = $app->make(FleetAccess::class)->isThere() ? $app->make(JobRecords::class)->catchUp() : 0;
        $this->info("Wrote $lines from the spool" . ($runs === 0 ? '.' : ", and $runs runs of the fleet."));

        return self::SUCCESS;
    }

    private function prune(Removal $removal): int
    {
        if (preg_match(self::AGE, (string) $this->option('older-than'), $age) !== 1) {
            return $this->refuse('Say how old: --older-than=90d, 12h or 30m.');
        }
        $before = UtcTime::format(CarbonImmutable::now()->subSeconds((int) $age[1] * self::SECONDS[$age[2]]));
        $count = $removal->all(static fn (): Builder => AgentRun::query()->where('started_at', '<', $before));
        $this->info("Deleted $count runs.");

        return self::SUCCESS;
    }

    private function forget(Container $app): int
    {
        $whose = $this->whose();
        if ($whose === []) {
            return $this->refuse('Say whom: --user=ID or --tenant=NAME.');
        }
        $question = 'Delete all that is recorded of ' . implode(', ', $whose) . '?';
        if (!$this->option('force') && !$this->confirm($question)) {
            return self::FAILURE;
        }
        $app->make(Recorder::class)->flush(); // what waits is forgotten, too
        $removal = $app->make(Removal::class);
        $count = $removal->all(static fn (): Builder => AgentRun::query()->where($whose));
        $named = array_combine(array_map(static fn (string $column): string
            => $column === 'user' ? 'owner' : $column, array_keys($whose)), $whose);
        AgentConversation::query()->where($named)->get()->each($removal->conversation(...));
        AgentUsage::query()->where($whose)->delete();
        isset($whose['user']) && $removal->actor($whose['user']);
        $this->info("Deleted $count runs.");

        return self::SUCCESS;
    }

    private function export(): int
    {
        $whose = $this->whose();
        $runs = static fn (): Builder => AgentRun::query()->where($whose);
        foreach ([AgentConversation::class, AgentRun::class] as $class) {
            $query = $class === AgentRun::class || $whose === []
                ? $class::query()->where($class === AgentRun::class ? $whose : [])
                : $class::query()->whereIn('id', $runs()->select('conversation_id'));
            $this->lines($query);
        }
        foreach ([AgentMessage::class, AgentUsage::class, AgentEvent::class, AgentInsight::class] as $class) {
            $this->lines($whose === [] ? $class::query() : $class::query()->whereIn('run_id', $runs()->select('id')));
        }

        return self::SUCCESS;
    }

    private function lines(Builder $query): void
    {
        $name = $query->getModel()::class;
        foreach ($query->lazyById() as $record) {
            $row = ['record' => lcfirst(str_replace('Agent', '', class_basename($name)))] + $record->toArray();
            $this->output->writeln(Content::json($row), OutputInterface::OUTPUT_RAW);
        }
    }

    /** @return array<string, string> */
    private function whose(): array
    {
        $given = ['user' => $this->option('user'), 'tenant' => $this->option('tenant')];

        return array_filter($given, static fn (mixed $value): bool => is_string($value) && $value !== '');
    }
}
