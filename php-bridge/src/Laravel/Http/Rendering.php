<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Http\Request;
use Symfony\Component\HttpFoundation\Response;

/**
 * Teaches the application's exception handler what a failed run is, and that who asks for an event stream is no browser
 * to redirect or to show a page to. What the application has registered itself comes first.
 *
 * @internal
 */
final class Rendering
{
    private const STREAM = 'text/event-stream';

    public static function register(ExceptionHandler $handler): void
    {
        if (!method_exists($handler, 'renderable')) {
            return; // an application with a handler of its own kind
        }
        $handler->renderable(static fn (RunFailedException $error, Request $request): Response
            => self::failure($handler, $error, $request));
        $handler->renderable(static fn (RunAbortedException $error, Request $request): Response
            => self::failure($handler, $error, $request));
        $handler->renderable(static fn (\Throwable $error, Request $request): ?Response
            => self::wantsStream($request) ? $handler->render(self::asJson($request), $error) : null);
    }

    private static function failure(
        ExceptionHandler $handler,
        RunFailedException|RunAbortedException $error,
        Request $request,
    ): Response {
        $refusal = Refusal::of($error);

        return match (true) {
            self::wantsStream($request) => $refusal->stream(),
            $request->expectsJson() => $refusal->json(),
            default => $handler->render($request, $refusal->exception()),
        };
    }

    private static function wantsStream(Request $request): bool
    {
        return ($request->getAcceptableContentTypes()[0] ?? '') === self::STREAM;
    }

    /** Laravel would answer a client that accepts an event stream as a browser. */
    private static function asJson(Request $request): Request
    {
        $copy = $request->duplicate();
        $copy->headers->set('Accept', 'application/json');

        return $copy;
    }
}
