<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Laravel\Fleet\Messages;
use Illuminate\Http\JsonResponse;
use Symfony\Component\HttpFoundation\Response;

final class QuestionController
{
    /** Takes the visitor's answers to a question of the agent of a run, whatever runs it. */
    public function __invoke(
        QuestionAnswer $request,
        Answers $answers,
        Runs $runs,
        Messages $messages,
        string $run,
        string $question,
    ): Response {
        [$found, $actor] = [$runs->toAnswer($request, $run), Actor::of($request)];
        $owner = $found->owner ?? Owner::of($request);
        try {
            return $found?->job === null
                ? $answers->answer($owner, $run, $question, $request->answers(), $actor)->response()
                : $messages->answer($found->job, $question, $request->answers(), $actor)->response();
        } catch (InvalidArgumentException $error) {
            $message = $error->getMessage();

            $body = ['message' => $message, 'errors' => ['answers' => [$message]]];

            return new JsonResponse($body, 422, [], JSON_INVALID_UTF8_SUBSTITUTE); // it names what was answered
        }
    }
}
