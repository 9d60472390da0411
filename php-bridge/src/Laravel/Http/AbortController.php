<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Laravel\Stream\Store;
use AgentWorkers\Laravel\Words;
use Illuminate\Http\JsonResponse;
use Illuminate\Http\Request;
use Symfony\Component\HttpFoundation\Response;

final class AbortController
{
    /** Stops a run of this owner that another request streams: it ends with `aborted`, wherever it is followed. */
    public function __invoke(Request $request, Store $store, string $run): Response
    {
        $owner = Owner::of($request);
        if ($owner === null || $store->head($owner, $run) === null) {
            return new JsonResponse(['message' => Words::of('refused.no_run')], 404);
        }
        if ($store->isOver($owner, $run)) {
            return new JsonResponse(['message' => Words::of('refused.run_over')], 410);
        }
        $store->askAbort($owner, $run);

        return new Response('', 204);
    }
}
