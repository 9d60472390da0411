<?php

declare(strict_types=1);

namespace App\Records;

use AgentWorkers\Laravel\Records\AgentRun;
use Carbon\CarbonInterface;

/** What runs came to, day by day. */
final class Days
{
    /** @return list<array{day: string, runs: int, errors: int, usd: float, cost: float, failed: float}> with heights, 0 to 1 */
    public static function since(CarbonInterface $first, int $count): array
    {
        $days = [];
        for ($at = 0; $at < $count; $at++) {
            $days[$first->copy()->addDays($at)->format('Y-m-d')] = ['runs' => 0, 'errors' => 0, 'usd' => 0.0];
        }
        $runs = AgentRun::query()->where('started_at', '>=', $first->format('Y-m-d H:i:s.v'))
            ->select(['id', 'started_at', 'status', 'cost_usd'])->orderBy('id');
        foreach ($runs->lazy() as $run) {
            $day = $run->started_at->format('Y-m-d');
            if (isset($days[$day])) {
                $days[$day]['runs']++;
                $days[$day]['errors'] += (int) ($run->status === 'error');
                $days[$day]['usd'] += (float) $run->cost_usd;
            }
        }
        $most = max(0.000001, ...array_column($days, 'usd'));
        $worst = max(1, ...array_column($days, 'errors'));

        return array_map(static fn (string $day, array $sums): array => ['day' => $day] + $sums + [
            'cost' => $sums['usd'] / $most,
            'failed' => $sums['errors'] / $worst,
        ], array_keys($days), $days);
    }
}
