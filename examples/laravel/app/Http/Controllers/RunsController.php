<?php

declare(strict_types=1);

namespace App\Http\Controllers;

use AgentWorkers\Fleet\Told;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Records\AgentRun;
use App\Runs\Days;
use App\Runs\Retry;
use App\Runs\RunText;
use App\Runs\Selection;
use App\Runs\Timeline;
use Illuminate\Contracts\View\View;
use Illuminate\Database\Eloquent\Builder;
use Illuminate\Http\RedirectResponse;
use Illuminate\Http\Request;

/** What agents were asked, did and cost, as the records have it: over time, each run, and what is to be done about it. */
final class RunsController
{
    private const PER_PAGE = 25;
    private const AT_MOST = 5;

    public function index(Request $request): View
    {
        self::needRecords();
        Selection::all()->where('status', 'running')->exists() && self::catchUp();
        $selection = Selection::of($request);
        $page = min(1000, max(1, (int) $request->query('page')));
        $runs = self::texts($selection->runs()->orderByDesc('started_at')->orderBy('id')
            ->offset(self::PER_PAGE * ($page - 1)), self::PER_PAGE + 1);

        return view('runs', [
            'selection' => $selection,
            'days' => Days::of($selection),
            'slowest' => self::texts($selection->runs()->whereNotNull('duration_ms')->orderByDesc('duration_ms')),
            'dearest' => self::texts($selection->runs()->where('cost_usd', '>', 0)->orderByDesc('cost_usd')),
            'runs' => array_slice($runs, 0, self::PER_PAGE),
            'hasMore' => count($runs) > self::PER_PAGE,
            'page' => $page,
        ]);
    }

    public function show(string $run): View
    {
        $found = self::find($run);

        return view('runs-run', [
            'text' => new RunText($found),
            'steps' => Timeline::of($found),
            'obstacle' => Retry::obstacle($found),
        ]);
    }

    public function abort(string $run): RedirectResponse
    {
        self::find($run);

        return self::back("/runs/$run", match (Agent::abort($run)) {
            Told::Sent => 'The run is told to stop.',
            Told::Ended => 'The run was stopped before it began.',
            Told::Over => 'The run had ended already.',
            Told::Unknown => 'This application does not hold the run: stop it where it was started.',
        });
    }

    public function retry(string $run): RedirectResponse
    {
        $found = self::find($run);
        $obstacle = Retry::obstacle($found);

        return $obstacle === null
            ? self::back('/runs', 'The same is asked anew, as run ' . Retry::of($found) . '.')
            : self::back("/runs/$run", $obstacle);
    }

    public function drop(string $run): RedirectResponse
    {
        if (self::find($run)->status === 'running') {
            return self::back("/runs/$run", 'The run has not ended: stop it first.');
        }
        Agent::forgetRun($run);

        return self::back('/runs', "Dropped, with all that was recorded of it: $run.");
    }

    private static function find(string $run): AgentRun
    {
        self::needRecords();
        Selection::all()->findOrFail($run)->status === 'running' && self::catchUp();

        return Selection::all()->with(['messages', 'usage', 'events'])->findOrFail($run);
    }

    /** What a run of the fleet says is recorded by whoever follows it: of one that nobody follows, it is looked up. */
    private static function catchUp(): void
    {
        rescue(static fn (): int => Agent::catchUp(), report: false); // a Redis that is away is the fleet's page's to tell
    }

    /**
     * @param Builder<AgentRun> $runs
     *
     * @return list<RunText>
     */
    private static function texts(Builder $runs, int $atMost = self::AT_MOST): array
    {
        $questions = ['messages' => static fn ($messages) => $messages->where('kind', 'question')];

        return $runs->with($questions)->limit($atMost)->get()
            ->map(static fn (AgentRun $run): RunText => new RunText($run))->all();
    }

    private static function needRecords(): void
    {
        config('agent-workers.records.enabled') || abort(404);
    }

    private static function back(string $address, string $said): RedirectResponse
    {
        return redirect()->away($address)->with('said', $said); // as it is: PHP may not know the port of the page
    }
}
