<?php

declare(strict_types=1);

namespace App\Http\Middleware;

use Closure;
use Illuminate\Http\Request;
use Illuminate\Support\Carbon;
use Illuminate\Support\Facades\App;
use Symfony\Component\HttpFoundation\Response;

/** Answers in the language that the browser asks for, as far as there are words in it. */
final class UseVisitorsLanguage
{
    private const KNOWN = ['en', 'de'];

    public function handle(Request $request, Closure $next): Response
    {
        $language = (string) $request->getPreferredLanguage(self::KNOWN);
        App::setLocale($language);
        Carbon::setLocale($language);

        return $next($request);
    }
}
