<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Laravel\Words;
use Closure;
use Illuminate\Http\JsonResponse;
use Illuminate\Http\Request;
use Symfony\Component\HttpFoundation\Response;

/**
 * Makes the application refuse a request for an event stream in JSON: a script sent it, which can neither follow a
 * redirect to a page nor show one. Runs before all other middleware.
 *
 * @internal
 */
final class StreamsInJson
{
    /** Redirects that turn a POST into the GET of a page. */
    private const LEADING_ELSEWHERE = [301, 302, 303];

    public function handle(Request $request, Closure $next): Response
    {
        if (!Accept::expectStream($request)) {
            return $next($request);
        }
        $response = $next($request);
        $isLedElsewhere = in_array($response->getStatusCode(), self::LEADING_ELSEWHERE, true);

        return $isLedElsewhere && !$request->isMethodSafe() ? self::refusal($response) : $response;
    }

    /** Some middleware redirects whoever asks. */
    private static function refusal(Response $redirect): JsonResponse
    {
        $location = (string) $redirect->headers->get('Location');
        $body = ['message' => Words::of('refused.redirected'), 'location' => $location];
        $refusal = new JsonResponse($body, 403);
        foreach ($redirect->headers->getCookies() as $cookie) {
            $refusal->headers->setCookie($cookie);
        }

        return $refusal;
    }
}
