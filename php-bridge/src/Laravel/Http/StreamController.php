<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Laravel\Agents;
use AgentWorkers\Laravel\PendingRun;
use AgentWorkers\Laravel\Stream\ReplayResponse;
use Illuminate\Http\Request;
use Symfony\Component\HttpFoundation\Response;

final class StreamController
{
    /** Starts a run. */
    public function chat(ChatRequest $request, Agents $agents): PendingRun
    {
        return $agents->worker((string) $request->route('worker'), $request);
    }

    /** Continues the stream of a run. Never starts a run, because EventSource reconnects by itself. */
    public function events(Request $request, ReplayResponse $replay, string $run): Response
    {
        $last = (string) $request->header('Last-Event-ID', '');
        $after = str_starts_with($last, "$run:") ? (int) substr($last, strlen($run) + 1) : 0;

        return $replay->of($run, Owner::of($request), max(0, $after));
    }
}
