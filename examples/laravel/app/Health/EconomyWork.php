<?php

declare(strict_types=1);

namespace App\Health;

use AgentWorkers\Batch\BatchResult;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\PendingBatch;
use AgentWorkers\Request;
use App\Models\HealthRequest;
use App\Models\Partner;
use App\Models\PartnerMetrics;
use App\Models\Recomputation;
use Illuminate\Support\Facades\DB;

/**
 * Those of a recomputation at half the price, within a day. What was sent is kept, for by the time of the answers the
 * partners have changed: a later start must ask the same to get them, and an answer speaks of what was asked.
 */
final class EconomyWork implements Work
{
    /** What needs no agent can be sent to the economy lane. */
    public const ENGINE = 'messages';

    public function __construct(
        private readonly PartnerHealth $health,
        private readonly Recomputation $recomputation,
    ) {
    }

    public function count(): int
    {
        $this->recomputation->requests()->exists() || $this->keep();

        return $this->recomputation->requests()->whereNull('settled_at')->count();
    }

    public function begin(?int $concurrency, ?float $maxCostUsd): PendingBatch
    {
        $requests = $this->recomputation->requests()->lazyById()->mapWithKeys(
            static fn (HealthRequest $kept): array => [$kept->partner_id => Request::fromJson($kept->request)],
        );

        return Agent::batch($requests, concurrency: $concurrency, maxCostUsd: $maxCostUsd)
            ->economy()
            ->checkpoint($this->recomputation->checkpoint());
    }

    public function take(string $partner, BatchResult $result): ?string
    {
        $kept = $this->recomputation->requests()->where('partner_id', $partner)->firstOrFail();
        $isNewer = PartnerMetrics::query()->whereKey($partner)->where('health_at', '>', $kept->kept_at)->exists();
        $failure = $isNewer ? null : $this->health->take($partner, $kept->input(), $result);
        $kept->update(['settled_at' => now()]);

        return $failure;
    }

    private function request(Partner $partner): Request
    {
        $input = $this->health->input($partner);

        return $this->health->oneOfMany($partner, $input, self::ENGINE, $this->recomputation->runs())->request();
    }

    /** All of them or none, whatever becomes of this process. */
    private function keep(): void
    {
        $this->recomputation->forget();
        DB::transaction(function (): void {
            $left = LiveWork::left($this->recomputation->since)->lazyById();
            $left->each(fn (Partner $partner) => $this->recomputation->requests()->create([
                'partner_id' => $partner->id,
                'request' => $this->request($partner)->toJson(),
                'kept_at' => now(),
            ]));
        });
    }
}
