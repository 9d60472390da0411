<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Exception\InvalidArgumentException;
use Illuminate\Http\JsonResponse;
use Symfony\Component\HttpFoundation\Response;

final class QuestionController
{
    /** Takes the visitor's answers to a question of the agent of a run that another request streams. */
    public function __invoke(QuestionAnswer $request, Answers $answers, string $run, string $question): Response
    {
        [$owner, $actor] = [Owner::of($request), Actor::of($request)];
        try {
            return $answers->answer($owner, $run, $question, $request->answers(), $actor)->response();
        } catch (InvalidArgumentException $error) {
            $message = $error->getMessage();

            $body = ['message' => $message, 'errors' => ['answers' => [$message]]];

            return new JsonResponse($body, 422, [], JSON_INVALID_UTF8_SUBSTITUTE); // it names what was answered
        }
    }
}
