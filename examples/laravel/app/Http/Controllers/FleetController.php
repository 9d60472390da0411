<?php

declare(strict_types=1);

namespace App\Http\Controllers;

use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Exception\FleetException;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Exception\NotDeadException;
use AgentWorkers\Fleet\Fleet;
use AgentWorkers\Fleet\JobStatus;
use AgentWorkers\Fleet\Told;
use AgentWorkers\Laravel\Facades\Agent;
use App\Fleet\OverviewText;
use App\Fleet\RunLine;
use Illuminate\Contracts\View\View;
use Illuminate\Http\RedirectResponse;
use Symfony\Component\HttpFoundation\Response;

/** The fleet for whoever operates it: how it does, which runs it has, and what is to be done about those that failed. */
final class FleetController
{
    /** A page tells within seconds that Redis is away; who follows a run may wait for longer. */
    private const PATIENCE_S = 1.0;
    private const AT_MOST = 50;

    public function index(): View|Response
    {
        return self::unlessAway(static function (Fleet $fleet): View {
            $seen = $fleet->overview();

            return view('fleet', [
                'seen' => $seen,
                'runs' => array_map(
                    static fn (JobStatus $job): RunLine => new RunLine($job),
                    $fleet->latest(self::AT_MOST),
                ),
                'dead' => $fleet->dead(self::AT_MOST),
            ] + OverviewText::of($seen));
        });
    }

    public function show(string $run): View|Response
    {
        return self::unlessAway(static function (Fleet $fleet) use ($run): View {
            $job = $fleet->status($run) ?? abort(404);
            $last = $job->isOver() ? $fleet->outcome($run) : null;
            $line = new RunLine($job);

            return view('fleet-run', [
                'line' => $line,
                'facts' => $line->facts(),
                'why' => $last instanceof ErrorEvent ? Agent::words($last) : null,
                'request' => $line->request(),
                'isDead' => $fleet->isDead($run),
            ]);
        });
    }

    public function abort(string $run): Response
    {
        return self::unlessAway(static function (Fleet $fleet) use ($run): Response {
            $said = match ($fleet->abort($run)) {
                Told::Sent => 'The run is told to stop.',
                Told::Ended => 'The run was stopped before it began.',
                Told::Over => 'The run had ended already.',
                Told::Unknown => abort(404),
            };

            return self::back("/fleet/runs/$run", $said);
        });
    }

    public function retry(string $run): Response
    {
        return self::unlessAway(static function (Fleet $fleet) use ($run): Response {
            try {
                $again = $fleet->retry($run)->run;
            } catch (NotDeadException $gone) {
                return self::back('/fleet', $gone->getMessage());
            }

            return self::back("/fleet/runs/$again", "This is the second run of the job that failed as $run.");
        });
    }

    public function drop(string $run): Response
    {
        return self::unlessAway(static function (Fleet $fleet) use ($run): Response {
            try {
                $fleet->drop($run);
            } catch (NotDeadException $gone) {
                return self::back('/fleet', $gone->getMessage());
            }

            return self::back('/fleet', "Dropped: $run.");
        });
    }

    /**
     * @template T of View|Response
     *
     * @param \Closure(Fleet): T $answer
     *
     * @return T|Response
     */
    private static function unlessAway(\Closure $answer): View|Response
    {
        try {
            return $answer(Agent::fleet()->patience(self::PATIENCE_S));
        } catch (LogicException $none) {
            return response(view('fleet-away', ['isAway' => false, 'why' => $none->getMessage()]), 404);
        } catch (FleetException $error) {
            return response(view('fleet-away', ['isAway' => true, 'why' => $error->getMessage()]), 503);
        }
    }

    private static function back(string $address, string $said): RedirectResponse
    {
        return redirect()->away($address)->with('said', $said); // as it is: PHP may not know the port of the page
    }
}
