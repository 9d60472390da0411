<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Queue;

use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Event\Event;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Laravel\Agents;
use AgentWorkers\Request;
use AgentWorkers\Run;
use Illuminate\Bus\Queueable;
use Illuminate\Contracts\Container\Container;
use Illuminate\Contracts\Events\Dispatcher;
use Illuminate\Contracts\Queue\ShouldQueue;
use Illuminate\Queue\InteractsWithQueue;

/**
 * Runs an agent on the queue. A failure that is worth a retry is tried again when the API asked for it, any other fails
 * the job at once.
 *
 * `retry_after` of the queue's connection must be longer than `$timeout`, or a second worker begins the job again.
 */
class RunAgent implements ShouldQueue
{
    use InteractsWithQueue;
    use Queueable;

    /** Seconds before `$timeout` by which a run must have ended: at `$timeout` Laravel kills without a word. */
    private const MARGIN_S = 15;
    private const DEFAULT_TIMEOUT_S = 300;
    private const LONGEST_DELAY_S = 900;

    /** @var int */
    public $tries = 3;

    /** @var int */
    public $timeout = 330;

    /** @var bool What took too long would, and would be paid for, again. */
    public $failOnTimeout = true;

    /** @var list<string> The application's tools, by name or class. Jobs queued before there were any lack it. */
    public $appTools = [];

    /**
     * @param array<string, mixed> $request by the contract's names
     * @param class-string<EventHandler>|null $handler without one, events are dispatched as AgentEvent
     * @param list<string> $appTools
     */
    public function __construct(
        public readonly array $request,
        public readonly ?string $handler = null,
        public readonly string $worker = 'chat',
        array $appTools = [],
    ) {
        $this->appTools = $appTools;
    }

    public function handle(Agents $agents, Container $app, Dispatcher $events): void
    {
        $runner = $agents->runner($this->worker);
        $handler = $this->handler === null ? null : $app->make($this->handler);
        $take = fn (Event $event, Run $run): mixed => $handler instanceof EventHandler
            ? $handler->handle($event, $run)
            : $events->dispatch(new AgentEvent($event, $this->request));
        $request = $agents->offer($this->withinTimeout(Request::fromArray($this->request)), $this->appTools);
        $last = self::follow($runner->stream($request), $take);
        if ($this->attempts() > 1 && $last instanceof ErrorEvent && $last->code === 'session_exists') {
            // An earlier attempt had begun the session before it failed.
            $id = ((array) $request->get('session'))['id'];
            $last = self::follow($runner->stream($request->session(resume: $id)), $take);
        }
        $this->conclude($last);
    }

    /** @param \Closure(Event, Run): mixed $take */
    private static function follow(Run $run, \Closure $take): ?Event
    {
        $event = null;
        foreach ($run as $event) {
            $take($event, $run);
        }

        return $event;
    }

    private function conclude(?Event $last): void
    {
        if ($last instanceof Aborted) {
            $this->fail(new RunAbortedException($last));
        } elseif ($last instanceof ErrorEvent && $last->retryable && $this->attempts() < $this->mostTries()) {
            $this->release($this->delayAfter($last));
        } elseif ($last instanceof ErrorEvent) {
            $this->fail(new RunFailedException($last));
        }
    }

    private function mostTries(): int
    {
        return $this->job?->maxTries() ?? $this->tries ?: PHP_INT_MAX;
    }

    private function delayAfter(ErrorEvent $error): int
    {
        $seconds = $error->retryAfterMs === null ? 5 * 2 ** $this->attempts() : (int) ceil($error->retryAfterMs / 1000);

        return min($seconds, self::LONGEST_DELAY_S);
    }

    private function withinTimeout(Request $request): Request
    {
        if (!$this->timeout) {
            return $request;
        }
        $asked = ((array) $request->get('limits'))['timeout_s'] ?? self::DEFAULT_TIMEOUT_S;

        return $request->limits(timeoutS: (float) max(1, min($asked, $this->timeout - self::MARGIN_S)));
    }
}
