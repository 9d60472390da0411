<?php

declare(strict_types=1);

namespace App\Http\Controllers;

use AgentWorkers\Laravel\Records\AgentRun;
use App\Records\Days;
use App\Records\RecordedRun;
use Illuminate\Contracts\View\View;
use Illuminate\Database\Eloquent\Builder;

/** What agents were asked, did and cost: over time, the slowest and the dearest runs, and what happened in each. */
final class RecordsController
{
    private const DAYS = 14;
    private const AT_MOST = 10;

    public function index(): View
    {
        self::needRecords();
        $since = now('UTC')->startOfDay()->subDays(self::DAYS - 1);
        $recent = static fn (): Builder => AgentRun::query()->where('started_at', '>=', $since->format('Y-m-d H:i:s.v'));
        $lines = static fn (Builder $runs): array
            => $runs->limit(self::AT_MOST)->get()->map(static fn (AgentRun $run): RecordedRun => new RecordedRun($run))->all();

        return view('records', [
            'days' => Days::since($since, self::DAYS),
            'lists' => array_filter([
                'Failed' => $lines($recent()->where('status', 'error')->orderByDesc('started_at')),
                'The dearest' => $lines($recent()->where('cost_usd', '>', 0)->orderByDesc('cost_usd')),
                'The slowest' => $lines($recent()->whereNotNull('duration_ms')->orderByDesc('duration_ms')),
                'The latest' => $lines($recent()->orderByDesc('started_at')),
            ]),
        ]);
    }

    public function show(string $run): View
    {
        self::needRecords();
        $found = AgentRun::query()->with(['messages', 'usage', 'conversation'])->findOrFail($run);

        return view('records-run', ['line' => new RecordedRun($found)]);
    }

    private static function needRecords(): void
    {
        config('agent-workers.records.enabled') || abort(404);
    }
}
