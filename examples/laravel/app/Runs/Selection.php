<?php

declare(strict_types=1);

namespace App\Runs;

use AgentWorkers\Laravel\Records\AgentRun;
use Carbon\CarbonImmutable;
use Illuminate\Database\Eloquent\Builder;
use Illuminate\Http\Request;

/** Which recorded runs a page is about: what its filters say. A filter that says nothing of use is left out. */
final class Selection
{
    public const STATUSES = ['running' => 'runs', 'done' => 'done', 'error' => 'failed', 'aborted' => 'stopped'];
    private const LONGEST = 191;

    /** @param array<string, string> $filters by user, worker, skill, status and day */
    private function __construct(public readonly array $filters)
    {
    }

    public static function of(Request $request): self
    {
        $said = array_filter(
            $request->only(['user', 'worker', 'skill', 'status', 'day']),
            static fn (mixed $value): bool => is_string($value) && $value !== '' && strlen($value) <= self::LONGEST
                && mb_check_encoding($value, 'UTF-8'),
        );
        if (!isset(self::STATUSES[$said['status'] ?? ''])) {
            unset($said['status']);
        }
        if (preg_match('/^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/D', $said['day'] ?? '') !== 1) {
            unset($said['day']);
        }

        return new self($said);
    }

    /**
     * All runs that whoever operates this application may see. Where operators look after some customers each, narrow
     * it here: the rest is then as runs that there are not.
     *
     * @return Builder<AgentRun>
     */
    public static function all(): Builder
    {
        return AgentRun::query();
    }

    /** @return Builder<AgentRun> those that the filters let through */
    public function runs(): Builder
    {
        $runs = $this->ofAnyDay();
        if (isset($this->filters['day'])) {
            $day = CarbonImmutable::parse($this->filters['day'], 'UTC');
            $runs->where('started_at', '>=', self::start($day))->where('started_at', '<', self::start($day->addDay()));
        }

        return $runs;
    }

    /** @return Builder<AgentRun> the same on whatever day: for the chart */
    public function ofAnyDay(): Builder
    {
        return self::all()->where(array_diff_key($this->filters, ['day' => true]));
    }

    /** A day's first moment as the records have it, in UTC. */
    public static function start(CarbonImmutable $day): string
    {
        return $day->format('Y-m-d') . ' 00:00:00.000';
    }

    /** @return list<string> values of a column, for a filter: those that are chosen among them */
    public function choices(string $column): array
    {
        $known = self::all()->whereNotNull($column)->distinct()->orderBy($column)->limit(100)->pluck($column)->all();

        return array_values(array_unique([...$known, ...array_filter([$this->filters[$column] ?? null])]));
    }
}
