<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Fleet\EntryId;
use AgentWorkers\Laravel\Agents;
use AgentWorkers\Laravel\Fleet\RelayResponse;
use AgentWorkers\Laravel\PendingRun;
use AgentWorkers\Laravel\Stream\ReplayResponse;
use AgentWorkers\Laravel\Words;
use AgentWorkers\Sse\Format;
use Illuminate\Http\JsonResponse;
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
    public function events(
        Request $request,
        Runs $runs,
        ReplayResponse $replay,
        RelayResponse $relay,
        string $run,
    ): Response {
        $last = (string) $request->header('Last-Event-ID', '');
        $after = EntryId::of(str_starts_with($last, "$run:") ? substr($last, strlen($run) + 1) : '0');
        $name = $request->query('format') ?: Format::Native->value;
        $format = is_string($name) ? Format::tryFrom($name) : null;
        if ($format === null) {
            return new JsonResponse(['message' => Words::of('refused.no_format')], 422);
        }
        $found = $runs->toFollow($request, $run);
        // Only a native stream can go on from its middle: the others' frames depend on those before them.
        $after = $format === Format::Native ? $after : new EntryId();

        return $found?->job === null
            ? $replay->of($run, $found?->owner, $after, $format)
            : $relay->of($found, $found->job, $after, $format);
    }
}
