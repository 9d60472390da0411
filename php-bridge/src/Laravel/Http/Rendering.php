<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Http\Request;
use Symfony\Component\HttpFoundation\Response;

/**
 * Registers how the exception handler renders failed runs. The application's own renderers come first.
 *
 * @internal
 */
final class Rendering
{
    public static function register(ExceptionHandler $handler): void
    {
        if (!method_exists($handler, 'renderable')) {
            return; // an application with a handler of its own kind
        }
        $handler->renderable(static fn (RunFailedException $error, Request $request): Response
            => self::failure($handler, $error, $request));
        $handler->renderable(static fn (RunAbortedException $error, Request $request): Response
            => self::failure($handler, $error, $request));
    }

    private static function failure(
        ExceptionHandler $handler,
        RunFailedException|RunAbortedException $error,
        Request $request,
    ): Response {
        $refusal = Refusal::of($error);

        return match (true) {
            Accept::wantsStream($request) => $refusal->stream(),
            $request->expectsJson() => $refusal->json(),
            default => $handler->render($request, $refusal->exception()),
        };
    }
}
