<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Fleet\Told;
use AgentWorkers\Laravel\Fleet\FleetAccess;
use AgentWorkers\Laravel\Stream\Store;
use AgentWorkers\Laravel\Words;
use Illuminate\Http\JsonResponse;
use Illuminate\Http\Request;
use Symfony\Component\HttpFoundation\Response;

final class AbortController
{
    /** Stops a run, whatever runs it: it ends with `aborted`, wherever it is followed. */
    public function __invoke(Request $request, Runs $runs, Store $store, FleetAccess $fleet, string $run): Response
    {
        $found = $runs->toAnswer($request, $run);
        if ($found === null) {
            return self::refusal('refused.no_run', 404);
        }
        if ($found->job !== null) {
            return match ($fleet->fleet()->abort($run)) {
                Told::Sent, Told::Ended => new Response('', 204),
                Told::Over => self::refusal('refused.run_over', 410),
                Told::Unknown => self::refusal('refused.no_run', 404),
            };
        }
        if ($store->isOver($found->owner, $run)) {
            return self::refusal('refused.run_over', 410);
        }
        $store->askAbort($found->owner, $run);

        return new Response('', 204);
    }

    private static function refusal(string $words, int $status): JsonResponse
    {
        return new JsonResponse(['message' => Words::of($words)], $status);
    }
}
