<?php

declare(strict_types=1);

namespace App\Health;

use AgentWorkers\Batch\BatchResult;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\PendingBatch;
use AgentWorkers\Laravel\PendingRun;
use App\Models\Partner;
use Illuminate\Database\Eloquent\Builder;
use Illuminate\Support\Carbon;

/** Those whose health was not computed since a time, at once. However many they are, few are in memory. */
final class LiveWork implements Work
{
    /** @var array<string, array<string, mixed>> inputs of the runs under way */
    private array $inputs = [];

    /** @param string $runs what the ids of the runs begin with */
    public function __construct(
        private readonly PartnerHealth $health,
        private readonly Carbon $since,
        private readonly string $engine,
        private readonly string $runs,
    ) {
    }

    /** @return Builder<Partner> whose health was not computed since then */
    public static function left(Carbon $since): Builder
    {
        return Partner::query()->with('metrics', 'notes')->whereDoesntHave(
            'metrics',
            static fn (Builder $metrics): Builder => $metrics->where('health_at', '>=', $since),
        );
    }

    public function count(): int
    {
        return self::left($this->since)->count();
    }

    public function begin(?int $concurrency, ?float $maxCostUsd): PendingBatch
    {
        $request = function (Partner $partner): PendingRun {
            $input = $this->inputs[$partner->id] = $this->health->input($partner);

            return $this->health->oneOfMany($partner, $input, $this->engine, $this->runs);
        };
        $requests = self::left($this->since)->lazyById()->mapWithKeys(
            static fn (Partner $partner): array => [$partner->id => $request($partner)],
        );

        return Agent::batch($requests, concurrency: $concurrency, maxCostUsd: $maxCostUsd);
    }

    public function take(string $partner, BatchResult $result): ?string
    {
        $input = $this->inputs[$partner];
        unset($this->inputs[$partner]);

        return $this->health->take($partner, $input, $result);
    }
}
