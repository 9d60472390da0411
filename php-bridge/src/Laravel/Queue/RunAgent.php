<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Queue;

use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Event\Event;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Laravel\Agents;
use AgentWorkers\Laravel\Broadcast\Broadcasts;
use AgentWorkers\Laravel\Events\Announcer;
use AgentWorkers\Laravel\Http\Answers;
use AgentWorkers\Laravel\Http\Conversations;
use AgentWorkers\Laravel\Records\Budget;
use AgentWorkers\Laravel\Records\Facts;
use AgentWorkers\Laravel\Records\Party;
use AgentWorkers\Laravel\Records\Recorder;
use AgentWorkers\Laravel\Stream\Recording;
use AgentWorkers\Laravel\Stream\Store;
use AgentWorkers\PoolRunner;
use AgentWorkers\Request;
use AgentWorkers\Run;
use Illuminate\Bus\Queueable;
use Illuminate\Contracts\Container\Container;
use Illuminate\Contracts\Events\Dispatcher;
use Illuminate\Contracts\Queue\ShouldQueue;
use Illuminate\Queue\InteractsWithQueue;
use Illuminate\Queue\Jobs\SyncJob;
use Illuminate\Support\Str;
use Psr\Log\LoggerInterface;

/**
 * Runs an agent on the queue. A failure that may pass is tried again, after the time that the API asked for or after
 * `$backoff`. Any other failure fails the job at once, and so does an exception of the application: each try costs
 * money. Without a queue (the connection `sync`, dispatchSync()) every failure is thrown.
 *
 * `retry_after` of the queue's connection must be longer than `$timeout`, or a second worker begins the job again.
 */
class RunAgent implements ShouldQueue
{
    use InteractsWithQueue;
    use Queueable;

    /** Seconds before `$timeout` by which a run must have ended: at `$timeout` Laravel kills without a word. */
    private const MARGIN_S = 15;
    private const LONGEST_DELAY_S = 900;

    /** @var int */
    public $tries = 3;

    /** @var int A bug in a handler or listener would be met, and paid for, again. */
    public $maxExceptions = 1;

    /** @var int|list<int> Seconds before the next try, where the API does not say. */
    public $backoff = [10, 20, 40];

    /** @var int */
    public $timeout = 330;

    /** @var bool What took too long would, and would be paid for, again. */
    public $failOnTimeout = true;

    /** @var list<string> The application's tools, by name or class. Jobs queued before there were any lack it. */
    public $appTools = [];

    /** @var list<string> Where the run's events are broadcast. */
    public $channels = [];

    /** @var string|null */
    public $conversation = null;

    /** @var string|null Who owns the run and its conversation. */
    public $owner = null;

    /** @var array<string, string> For whom it is, by the names of Party: for the records. */
    public $party = [];

    /** @var string|null Id of the run, the same in each attempt: so what a tool does once() is not done again. */
    public $run = null;

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
        ?string $conversation = null,
        ?string $owner = null,
    ) {
        $this->appTools = $appTools;
        $this->conversation = $conversation;
        $this->owner = $owner;
        $this->run = isset($request['run']) ? null : (string) Str::uuid();
    }

    public function handle(Agents $agents, Container $app, Dispatcher $events): void
    {
        try {
            $last = $this->last($agents, $app, $events);
        } catch (\Throwable $error) {
            $this->isQueued() && $this->fail($error);
            throw $error;
        }
        $this->conclude($last);
    }

    private function last(Agents $agents, Container $app, Dispatcher $events): ?Event
    {
        $handler = $this->handler === null ? null : $app->make($this->handler);
        $announcer = $app->make(Announcer::class);
        $party = Party::fromArray($this->party + array_filter(['conversation' => $this->conversation]));
        try {
            $app->make(Budget::class)->check($party->user ?? $this->owner, $party->tenant);
        } catch (RunFailedException $refusal) {
            return $refusal->event;
        }
        $take = fn (Event $event, Run $run): mixed => $handler instanceof EventHandler
            ? $handler->handle($event, $run)
            : $events->dispatch(new AgentEvent($event, $this->request));
        $start = function (Request $request) use ($agents, $app): Run {
            $run = $agents->runner($this->worker)->stream($agents->offer($request, $this->appTools));
            if ($this->owner !== null) {
                Recording::follow($run, $app->make(Store::class), $this->owner, $app->make(LoggerInterface::class));
                $run->onQuestion($app->make(Answers::class)->of($run, $this->owner));
            }
            if ($this->channels !== []) {
                $app->make(Broadcasts::class)->follow($run, $this->channels);
            }

            return $run;
        };
        $program = basename($agents->programOf($this->worker));
        $recorded = fn (Run $run): Run => $app->make(Recorder::class)->follow($run, Facts::of(
            $run->request->with('prompt', $this->request['prompt'] ?? null),
            $program,
            $party,
        ));
        $follow = fn (Run $run): ?Event => self::follow($announcer->follow($recorded($run), $this->worker), $take);
        $request = $this->withinTimeout(Request::fromArray($this->request));
        $request = $this->run === null ? $request : $request->run($this->run);
        $request = $this->attempts() > 1 ? $request->with('attempt', $this->attempts()) : $request;
        if ($this->conversation !== null) {
            $namesSession = !$agents->runner($this->worker) instanceof PoolRunner;
            $all = $app->make(Conversations::class);
            $begin = fn (): Run
                => $all->start(
                    $this->conversation,
                    $this->owner,
                    $request,
                    $start,
                    namesSession: $namesSession,
                    party: $party,
                );

            return $this->converse($begin, $follow);
        }
        $last = $follow($start($request));
        if ($this->attempts() > 1 && self::isTaken($last)) {
            // An earlier attempt had begun the session before it failed.
            $id = ((array) $request->get('session'))['id'];
            $last = $follow($start($request->session(resume: $id)));
        }

        return $last;
    }

    /**
     * @param \Closure(): Run $begin
     * @param \Closure(Run): ?Event $follow gives its last event
     */
    private function converse(\Closure $begin, \Closure $follow): ?Event
    {
        do {
            try {
                $run = $begin();
            } catch (RunFailedException $refusal) {
                return $refusal->event; // it is busy, or somebody else's
            }
            $wasTaken = isset($last);
            $last = $follow($run);
        } while (self::isTaken($last) && !$wasTaken); // the conversation has learnt that its session is there

        return $last;
    }

    private static function isTaken(?Event $last): bool
    {
        return $last instanceof ErrorEvent && $last->code === 'session_exists';
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
        $failure = match (true) {
            $last instanceof Aborted => new RunAbortedException($last),
            $last instanceof ErrorEvent => new RunFailedException($last),
            default => null,
        };
        if ($failure === null) {
            return;
        }
        if (!$this->isQueued()) {
            throw $failure; // nobody would hear of it: there is no list of failed jobs, and nobody tries again
        }
        if ($last instanceof ErrorEvent && $last->retryable && $this->attempts() < $this->mostTries()) {
            $this->release($this->delayAfter($last));
        } else {
            $this->fail($failure);
        }
    }

    private function isQueued(): bool
    {
        return $this->job !== null && !$this->job instanceof SyncJob;
    }

    private function mostTries(): int
    {
        return $this->job?->maxTries() ?? $this->tries ?: PHP_INT_MAX;
    }

    private function delayAfter(ErrorEvent $error): int
    {
        $delays = (array) $this->backoff ?: [0];
        $usual = $delays[$this->attempts() - 1] ?? $delays[count($delays) - 1];
        // A busy session names a time for people, who try again as often as they like. A job has few tries.
        $isAsked = $error->retryAfterMs !== null && $error->code !== 'session_busy';
        $seconds = $isAsked ? (int) ceil($error->retryAfterMs / 1000) : $usual;

        return min($seconds, self::LONGEST_DELAY_S);
    }

    private function withinTimeout(Request $request): Request
    {
        if (!$this->timeout) {
            return $request;
        }
        $longest = max(1.0, $this->timeout - self::MARGIN_S);

        return $request->limits(timeoutS: min($request->timeoutS(), $longest));
    }
}
