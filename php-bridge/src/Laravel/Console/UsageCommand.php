<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

use AgentWorkers\Laravel\Records\Database;
use AgentWorkers\Laravel\Records\UtcTime;
use Carbon\CarbonImmutable;
use Illuminate\Console\Command;
use Illuminate\Database\Query\Builder;
use Illuminate\Support\Collection;

final class UsageCommand extends Command
{
    use TellsErrors;

    private const BY = ['day', 'model', 'user', 'skill', 'tenant'];
    private const SUMS = [
        'input_tokens', 'output_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens', 'cost_usd',
    ];
    private const HEADERS = ['Runs', 'Input', 'Output', 'Cache read', 'Cache write', 'USD (estimate)'];

    /** @var string */
    protected $signature = 'agent:usage
        {--by=day : day, model, user, skill or tenant}
        {--since= : The first day, such as 2026-11-01; without it, 30 days ago}
        {--json : Rows as JSON}';

    /** @var string */
    protected $description = 'Show what agents have used: tokens and their estimated price';

    public function handle(Database $database): int
    {
        $by = (string) $this->option('by');
        if (!in_array($by, self::BY, true)) {
            return $this->refuse("--by cannot be $by. It is one of: " . implode(', ', self::BY) . '.');
        }
        try {
            $since = CarbonImmutable::parse((string) ($this->option('since') ?? '-30 days'), 'UTC')->startOfDay();
        } catch (\Exception) {
            return $this->refuse('--since must be a day, such as 2026-11-01.');
        }
        $query = $database->table('agent_usage')->where('turn', 0)->where('at', '>=', UtcTime::format($since));
        $rows = $this->rows($query, $by);
        if ($this->option('json')) {
            $this->line((string) json_encode($rows));
        } else {
            $this->table([ucfirst($by), ...self::HEADERS], array_map(self::cells(...), $rows));
        }

        return self::SUCCESS;
    }

    /** @return list<array<string, mixed>> */
    private function rows(Builder $query, string $by): array
    {
        $grammar = $query->getGrammar();
        $name = $grammar->wrap($by === 'day' ? 'at' : $by);
        // Each of these databases takes the day of a time so: as its text's first ten characters.
        $group = $by === 'day' ? "substr(cast($name as char(10)), 1, 10)" : $name;
        $sums = array_map(
            static fn (string $column): string => "sum({$grammar->wrap($column)}) as {$grammar->wrap($column)}",
            self::SUMS,
        );
        $runs = "count(distinct {$grammar->wrap('run_id')}) as {$grammar->wrap('runs')}";

        return $query->selectRaw(implode(', ', ["$group as name", $runs, ...$sums]))
            ->groupByRaw($group)->orderByRaw($group)->get()
            ->map(static fn (object $row): array => self::row((array) $row, $by))->all();
    }

    /**
     * @param array<string, mixed> $row
     *
     * @return array<string, mixed>
     */
    private static function row(array $row, string $by): array
    {
        $known = array_map(static fn (mixed $value): int|float|null
            => $value === null ? null : $value + 0, array_diff_key($row, ['name' => true]));

        return [$by => $row['name']] + $known;
    }

    /**
     * @param array<string, mixed> $row
     *
     * @return list<string>
     */
    private static function cells(array $row): array
    {
        [$name, $cost] = [array_shift($row), array_pop($row)];
        $counts = array_map(static fn (mixed $count): string => $count === null ? '' : (string) $count, $row);

        return [(string) $name, ...array_values($counts), $cost === null ? '' : sprintf('%.4f', $cost)];
    }
}
