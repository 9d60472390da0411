<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Laravel\Words;
use Illuminate\Http\JsonResponse;
use Illuminate\Http\Request;

final class StatusController
{
    /** Tells how far a run is, for those who poll; when it has ended, with its terminal event. */
    public function __invoke(Request $request, Runs $runs, RunStatus $status, string $run): JsonResponse
    {
        $found = $runs->toFollow($request, $run);

        return $found === null
            ? new JsonResponse(['message' => Words::of('refused.no_run')], 404)
            : new JsonResponse($status->of($found), 200, ['Cache-Control' => 'no-store, private']);
    }
}
