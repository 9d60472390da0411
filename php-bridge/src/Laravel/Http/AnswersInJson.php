<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use Closure;
use Illuminate\Http\Request;
use Symfony\Component\HttpFoundation\Response;

/** Makes Laravel answer refusals in JSON: a client that accepts an event stream would be redirected or get a page. */
final class AnswersInJson
{
    public function handle(Request $request, Closure $next): Response
    {
        Accept::expectJson($request);

        return $next($request);
    }
}
