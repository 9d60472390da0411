<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\RunOverException;
use AgentWorkers\Laravel\Fleet\Messages;
use AgentWorkers\Laravel\Stream\Steering;
use AgentWorkers\Laravel\Words;
use Illuminate\Http\JsonResponse;
use Symfony\Component\HttpFoundation\Response;

final class SteerController
{
    private const RETRY_AFTER_S = 2;

    /** Says a word to the agent of a run, whatever runs it. */
    public function __invoke(
        SteerRequest $request,
        Steering $steering,
        Runs $runs,
        Messages $messages,
        string $run,
    ): Response {
        try {
            $found = $runs->toAnswer($request, $run);
            $id = $found?->job === null
                ? $steering->say($found->owner ?? Owner::of($request), $run, $request->text(), Actor::of($request))
                : $messages->steer($found->job, $request->text(), Actor::of($request));
        } catch (RunOverException $error) {
            $key = $error->isKnown ? 'refused.run_over' : 'refused.no_run';

            return new JsonResponse(['message' => Words::of($key)], $error->isKnown ? 410 : 404);
        } catch (InvalidArgumentException $error) {
            $message = $error->getMessage();

            return new JsonResponse(['message' => $message, 'errors' => ['text' => [$message]]], 422);
        }
        if ($id !== null) {
            return new JsonResponse(['id' => $id], 202);
        }
        $message = Words::of('refused.not_reached');

        return new JsonResponse(
            ['message' => $message, 'code' => 'run_busy', 'retryable' => true],
            503,
            ['Retry-After' => (string) self::RETRY_AFTER_S],
        );
    }
}
