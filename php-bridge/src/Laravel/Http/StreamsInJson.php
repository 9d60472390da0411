<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use Closure;
use Illuminate\Http\JsonResponse;
use Illuminate\Http\Request;
use Symfony\Component\HttpFoundation\Response;

/**
 * Has the whole application take who asks for an event stream for a script, not for a browser to redirect or to show a
 * page to: what refuses the request says so in JSON. It comes before all other middleware.
 *
 * @internal
 */
final class StreamsInJson
{
    /** Those by which a POST becomes the GET of a page. */
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
        $body = ['message' => 'The server redirects this request. Open the other page first.', 'location' => $location];
        $refusal = new JsonResponse($body, 403);
        foreach ($redirect->headers->getCookies() as $cookie) {
            $refusal->headers->setCookie($cookie);
        }

        return $refusal;
    }
}
