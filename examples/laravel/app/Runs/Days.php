<?php

declare(strict_types=1);

namespace App\Runs;

use Carbon\CarbonImmutable;

/** What runs cost and how many failed, day by day: the numbers of the chart. */
final class Days
{
    public const COUNT = 14;

    /** @param list<array{day: CarbonImmutable, runs: int, errors: int, usd: float}> $all the last one is the latest */
    private function __construct(public readonly array $all)
    {
    }

    public static function of(Selection $selection): self
    {
        $last = CarbonImmutable::parse($selection->filters['day'] ?? 'now', 'UTC')->startOfDay();
        $last = $last->addDays(self::COUNT - 1)->min(CarbonImmutable::now('UTC')->startOfDay())->max($last);
        $first = $last->subDays(self::COUNT - 1);
        $found = self::sums($selection, $first, $last->addDay());
        $days = [];
        for ($day = $first; $day <= $last; $day = $day->addDay()) {
            $sums = $found[$day->format('Y-m-d')] ?? [];
            $days[] = ['day' => $day] + $sums + ['runs' => 0, 'errors' => 0, 'usd' => 0.0];
        }

        return new self($days);
    }

    public function usd(): float
    {
        return (float) array_sum(array_column($this->all, 'usd'));
    }

    public function dearest(): float
    {
        return (float) max(array_column($this->all, 'usd'));
    }

    public function sum(string $of): int
    {
        return (int) array_sum(array_column($this->all, $of));
    }

    /** @return list<array{x: float, y: float, width: float, height: float, told: string}> bars, in per cent of the chart */
    public function bars(string $of): array
    {
        $most = max(array_column($this->all, $of)) ?: 1;
        $width = 100 / count($this->all);

        return array_map(static function (int $at, array $day) use ($of, $most, $width): array {
            $height = $day[$of] > 0 ? max(3, 100 * $day[$of] / $most) : 0;

            return [
                'x' => round(($at + 0.12) * $width, 3),
                'y' => round(100 - $height, 3),
                'width' => round(0.76 * $width, 3),
                'height' => round($height, 3),
                'told' => $day['day']->format('j M') . ': '
                    . ($of === 'usd' ? RunText::usd($day['usd']) : "{$day['errors']} of {$day['runs']}"),
            ];
        }, array_keys($this->all), $this->all);
    }

    /** @return array<string, array{runs: int, errors: int, usd: float}> by day */
    private static function sums(Selection $selection, CarbonImmutable $first, CarbonImmutable $end): array
    {
        // SQLite, PostgreSQL and MariaDB all take the day of a time so: as the first ten characters of its text.
        $day = 'substr(cast(started_at as char(10)), 1, 10)';
        $rows = $selection->ofAnyDay()->toBase()
            ->where('started_at', '>=', Selection::start($first))->where('started_at', '<', Selection::start($end))
            ->selectRaw("$day as day, count(*) as runs, sum(cost_usd) as usd")
            ->selectRaw("sum(case when status = 'error' then 1 else 0 end) as errors")
            ->groupByRaw($day)->get();

        return $rows->keyBy('day')->map(static fn (object $row): array => [
            'runs' => (int) $row->runs,
            'errors' => (int) $row->errors,
            'usd' => (float) $row->usd,
        ])->all();
    }
}
