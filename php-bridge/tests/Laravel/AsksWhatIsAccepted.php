<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use Closure;
use Illuminate\Http\Request;
use Symfony\Component\HttpFoundation\Response;

/** Middleware of an application that looks at what the request accepts, which the request then remembers. */
final class AsksWhatIsAccepted
{
    public function handle(Request $request, Closure $next): Response
    {
        $request->expectsJson();

        return $next($request);
    }
}
