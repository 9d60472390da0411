<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Laravel\Words;
use Illuminate\Http\JsonResponse;
use Symfony\Component\HttpFoundation\Response;

/**
 * What came of an answer to a question, as an HTTP status.
 *
 * @internal
 */
enum Approval: int
{
    case Taken = 204;
    /** There is no such question, or it is somebody else's: nobody may learn which. */
    case Unknown = 404;
    /** It is answered already or has expired, or the run has ended. */
    case Over = 410;

    public function response(): Response
    {
        $message = match ($this) {
            self::Taken => '',
            self::Unknown => Words::of('refused.no_question'),
            self::Over => Words::of('refused.question_over'),
        };

        return $this === self::Taken ? new Response('', 204) : new JsonResponse(['message' => $message], $this->value);
    }
}
