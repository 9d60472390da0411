<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Event\EventFactory;
use AgentWorkers\Exception\FleetException;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Process\ExitStatus;
use AgentWorkers\Run\Ending;
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
        $handler->renderable(static function (FleetException $error, Request $request) use ($handler): Response {
            $handler->report($error); // what is rendered here says nothing of the cause
            $lost = EventFactory::compose('', 1, 'error', Ending::lost(ExitStatus::unreachable()));

            return self::failure($handler, new RunFailedException($lost), $request);
        });
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
