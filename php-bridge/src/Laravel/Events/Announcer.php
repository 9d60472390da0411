<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Events;

use AgentWorkers\Batch\BatchResult;
use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Request;
use AgentWorkers\Run;
use Illuminate\Contracts\Container\Container;
use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Contracts\Events\Dispatcher;

/**
 * Dispatches Laravel events for runs. Whatever a listener throws is reported, and harms no run.
 *
 * @internal
 */
final class Announcer
{
    public function __construct(private readonly Container $app)
    {
    }

    /** Follow it last: RunEnded comes after what else is done at the end, such as leaving the conversation. */
    public function follow(Run $run, string $worker): Run
    {
        $watch = new Watch($run->id, self::facts($run->id, $worker, $run->request), $this->dispatch(...));

        return $run->onEvent($watch->note(...))->onEnd(static function () use ($run, $watch): void {
            $run->isLeft() || $watch->end(); // one that goes on has not ended
        });
    }

    /** @param array<string, mixed> $facts what facts() has made of the request, as far as it is known */
    public function batchResult(BatchResult $result, array $facts): void
    {
        $this->dispatch(new RunEnded(...[
            'run' => $result->run,
            'status' => $result->status,
            'event' => self::failure($result),
            'usage' => $result->usage,
            'costUsd' => $result->costUsd,
            'result' => $result,
        ] + $facts));
    }

    /** @return array<string, mixed> what each event says of its run */
    public static function facts(string $run, string $worker, Request $request): array
    {
        $echoed = (array) json_decode((string) json_encode($request->echoed(), JSON_PARTIAL_OUTPUT_ON_ERROR), true);
        $texts = array_filter(array_intersect_key($echoed, ['user' => true, 'goal' => true]), is_string(...));
        $objects = array_filter(array_intersect_key($echoed, ['subject' => true, 'metadata' => true]), is_array(...));

        return ['run' => $run, 'worker' => $worker] + $texts + $objects; // what a worker refuses may be anything
    }

    private static function failure(BatchResult $result): ErrorEvent|Aborted|null
    {
        try {
            $result->orFail();
        } catch (RunFailedException | RunAbortedException $ended) {
            return $ended->event;
        }

        return null;
    }

    public function conversation(ConversationEvent $event): void
    {
        $this->dispatch($event);
    }

    public function ended(RunEnded $event): void
    {
        $this->dispatch($event);
    }

    private function dispatch(RunEvent|ConversationEvent $event): void
    {
        try {
            $this->app->make(Dispatcher::class)->dispatch($event);
        } catch (\Throwable $error) {
            try {
                $this->app->make(ExceptionHandler::class)->report($error);
            } catch (\Throwable) {
                // A log that cannot be written is no reason to end a run.
            }
        }
    }
}
