<?php

declare(strict_types=1);

namespace App\Runs;

use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\PendingRun;
use AgentWorkers\Laravel\Records\AgentRun;
use AgentWorkers\Request;
use Illuminate\Support\Str;

/**
 * Asks the same anew, as a run of its own: of a chat or a skill, whose request the records have. Folder and tools of a
 * task they do not have.
 */
final class Retry
{
    private const CHAT = 'agent-chat';

    /** Why it cannot be asked anew; null if it can. */
    public static function obstacle(AgentRun $run): ?string
    {
        return match (true) {
            !in_array($run->status, ['error', 'aborted'], true) => 'Only a run that failed or was stopped has a retry.',
            $run->skill === null && $run->worker !== self::CHAT
                => 'The records do not have the folder and the tools of this run: ask anew where it was asked.',
            self::question($run) === null => 'What was asked is not kept.',
            default => null,
        };
    }

    /**
     * Begins the run once the browser has its answer, or submits it to the fleet.
     *
     * @return string the new run's id
     */
    public static function of(AgentRun $run): string
    {
        $id = (string) Str::uuid();
        $anew = self::named(self::request($run), $run, $id);
        if (filled(config('agent-workers.fleet.url')) && $run->skill === null) {
            $anew->onFleet()->dispatch();
        } else {
            app()->terminating(static fn (): mixed => rescue(static fn (): mixed => $anew->run(), report: false));
        }

        return $id;
    }

    private static function request(AgentRun $run): PendingRun
    {
        $question = self::question($run);

        return $run->skill === null
            ? Agent::chat($question)->command(null)
            : Agent::skill($run->skill, $question === [] ? new \stdClass() : $question);
    }

    private static function named(PendingRun $anew, AgentRun $run, string $id): PendingRun
    {
        $anew->configure(static fn (Request $request): Request => $request->run($id));
        $run->user === null || $anew->user($run->user);
        $run->tenant === null || $anew->tenant($run->tenant);
        $run->goal === null || $anew->goal($run->goal);
        isset($run->subject['type'], $run->subject['id'])
            && $anew->subject($run->subject['type'], $run->subject['id']);

        return $anew;
    }

    /** @return string|array<array-key, mixed>|null */
    private static function question(AgentRun $run): string|array|null
    {
        $said = $run->messages->firstWhere('kind', 'question')?->content;

        return match (true) {
            $run->skill !== null => is_array($said) ? $said : null,
            is_string($said) => $said,
            is_array($said) && array_is_list($said) && $said !== [] => $said, // content blocks, and no tool's input
            default => null,
        };
    }
}
