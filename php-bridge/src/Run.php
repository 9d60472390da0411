<?php

declare(strict_types=1);

namespace AgentWorkers;

use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\Ack;
use AgentWorkers\Event\Done;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Event\PermissionRequest;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Process\Transport;
use AgentWorkers\Run\AnswerText;
use AgentWorkers\Run\AppTools;
use AgentWorkers\Run\Controls;
use AgentWorkers\Run\Ending;
use AgentWorkers\Run\EventReader;
use AgentWorkers\Run\Permissions;
use AgentWorkers\Run\State;
use Psr\Log\LoggerInterface;
use Symfony\Component\Process\Exception\ProcessTimedOutException;

/**
 * One run: iterate it for its events. The last one is terminal, whatever happens. Leaving the loop early stops the
 * worker.
 *
 * @implements \IteratorAggregate<int, Event>
 */
final class Run implements \IteratorAggregate
{
    public readonly string $id;
    public readonly Request $request;
    private readonly string $json;
    private readonly EventReader $reader;
    private readonly Controls $controls;
    private readonly Permissions $permissions;
    private readonly AppTools $tools;
    /** @var list<\Closure(): mixed> */
    private array $listeners = [];
    /** @var list<\Closure(Event): mixed> */
    private array $observers = [];
    /** @var list<\Closure(): mixed> */
    private array $followers = [];
    private State $state = State::Ready;
    private float $deadline = INF;

    /** @internal a Runner makes runs */
    public function __construct(
        Request $request,
        private readonly Transport $transport,
        private readonly LoggerInterface $logger,
        private readonly float $overtime,
    ) {
        $id = $request->get('run');
        $this->id = is_string($id) ? $id : self::uuid();
        $this->request = $id === null ? $request->run($this->id) : $request;
        $this->json = $this->request->toJson();
        $this->reader = new EventReader($this->id, $logger);
        $this->controls = new Controls($this->id, $transport, $logger);
        $this->permissions = new Permissions($this->decide(...), $logger);
        $this->tools = new AppTools($request->handlers(), $this->toolResult(...), $logger);
    }

    /** @return \Generator<int, Event> */
    public function getIterator(): \Generator
    {
        $this->state = $this->state->begin();
        $this->deadline = self::now() + $this->request->timeoutS() + $this->overtime;
        try {
            foreach ($this->events() as $event) {
                $this->state->isStopped() || $this->permissions->note($event); // before the loop may answer it
                $this->tools->note($event);
                yield $this->observed($event);
                $this->state->isStopped() || $this->tools->run();
            }
            if (!$this->state->isOver()) {
                yield $this->observed($this->missingEnd());
            }
        } finally {
            $hasEnded = $this->state->isOver();
            $this->state = $this->state->end();
            try {
                $hasEnded ? $this->transport->finish() : $this->transport->stop();
                $this->report();
            } finally {
                foreach ($this->followers as $follower) {
                    $follower();
                }
            }
        }
    }

    /**
     * Waits for the answer.
     *
     * @throws RunFailedException
     * @throws RunAbortedException
     */
    public function wait(): Done
    {
        $answer = new AnswerText();
        foreach ($this as $event) {
            $answer->add($event);
        }

        return match (true) {
            $event instanceof Done => $answer->complete($event),
            $event instanceof Aborted => throw new RunAbortedException($event),
            $event instanceof ErrorEvent => throw new RunFailedException($event),
        };
    }

    /**
     * Calls the listener about five times a second while the run waits for its next event. Use it for heartbeats, or to
     * check whether somebody wants to stop the run.
     *
     * @param \Closure(): mixed $listener
     */
    public function onTick(\Closure $listener): self
    {
        $this->listeners[] = $listener;

        return $this;
    }

    /**
     * Calls the observer with each event, before the loop gets it.
     *
     * @param \Closure(Event): mixed $observer
     */
    public function onEvent(\Closure $observer): self
    {
        $this->observers[] = $observer;

        return $this;
    }

    /**
     * Calls the follower once the worker has gone, whether the run ended or the loop was left.
     *
     * @param \Closure(): mixed $follower
     */
    public function onEnd(\Closure $follower): self
    {
        $this->followers[] = $follower;

        return $this;
    }

    /**
     * Asks the closure whether a tool call may run: when the question comes, before the loop gets it, and then on each
     * tick while the closure returns null (no answer yet), until the question is answered or has expired. With several
     * closures, the first answer counts. If a closure throws, that is logged and the call is denied.
     *
     * @param \Closure(PermissionRequest): (Decision|bool|null) $handler
     */
    public function onPermission(\Closure $handler): self
    {
        $this->permissions->askedOf($handler);

        return $this;
    }

    /**
     * Asks the worker to stop the run, which then ends with `aborted`. A worker that does not obey is stopped later.
     */
    public function abort(): void
    {
        $this->state = $this->state->stop();
        if ($this->state->isUnderway()) {
            $this->controls->abort();
            $this->transport->terminateAfterGrace();
        }
    }

    /** Stops the worker by SIGTERM. Returns at once: the loop goes on to the terminal event. */
    public function stop(): void
    {
        $this->state = $this->state->stop();
        if ($this->state->isUnderway()) {
            $this->transport->terminate();
        }
    }

    /** Whether this side ends the run, by abort(), stop() or its deadline: the terminal event may be still to come. */
    public function isStopping(): bool
    {
        return $this->state->isStopped();
    }

    /**
     * Answers a `permission_request`.
     *
     * @param string $behavior allow or deny
     * @param string|null $message what the model is told on a denial
     * @param array<string, mixed>|null $updatedInput to run the tool with instead of the model's own
     *
     * @return string|null id of the `ack` that will come; null where the run is over
     */
    public function permission(
        string $permissionId,
        string $behavior,
        ?string $message = null,
        ?array $updatedInput = null,
    ): ?string {
        if (!in_array($behavior, [Decision::ALLOW, Decision::DENY], true)) {
            throw new InvalidArgumentException(
                sprintf('The behavior must be "allow" or "deny", not "%s".', $behavior),
            );
        }
        $id = $this->state->isOver()
            ? null
            : $this->controls->permission($permissionId, $behavior, $message, $updatedInput);
        $this->permissions->settled($permissionId);

        return $id;
    }

    /** Answers a `permission_request`, as permission() does. */
    public function decide(string $permissionId, Decision $decision): ?string
    {
        return $this->permission($permissionId, $decision->behavior, $decision->message, $decision->updatedInput);
    }

    /**
     * Answers an `app_tool_call`. The request's handler is then not called for it.
     *
     * @param string|list<array<string, mixed>> $content text, or content blocks
     *
     * @return string|null id of the `ack` that will come; null where the run is over
     */
    public function toolResult(string $callId, string|array $content, bool $isError = false): ?string
    {
        $this->tools->settled($callId);

        return $this->state->isOver() ? null : $this->controls->toolResult($callId, $content, $isError);
    }

    /** The worker's exit status, 128 + signal where it was killed; null where it is unknown or not there yet. */
    public function exitCode(): ?int
    {
        return $this->transport->exitStatus()->code;
    }

    /** The end of what the worker wrote to stderr: for operators, not for users. */
    public function stderr(): string
    {
        return $this->transport->stderr();
    }

    /** @return \Generator<int, Event> */
    private function events(): \Generator
    {
        if ($this->state->isStopped()) {
            return;
        }
        try {
            foreach ($this->transport->chunks($this->json, $this->tick(...)) as $chunk) {
                foreach ($this->reader->push($chunk) as $event) {
                    yield $this->seen($event);
                }
                if ($this->state->isOver()) {
                    return;
                }
            }
        } catch (ProcessTimedOutException) {
            $this->state = $this->state->expire(); // configureProcess() set a timeout of its own
        }
        foreach ($this->reader->rest() as $event) {
            yield $this->seen($event);
        }
    }

    private function observed(Event $event): Event
    {
        foreach ($this->observers as $observe) {
            $observe($event);
        }

        return $event;
    }

    private function seen(Event $event): Event
    {
        if ($event instanceof Ack) {
            $this->controls->acknowledged($event);
        }
        if ($event instanceof Aborted && $this->state === State::Overdue) {
            $rest = array_diff_key($event->data, ['type' => true, 'reason' => true]);
            $event = EventFactory::fromArray(['type' => 'error'] + Ending::timeout() + $rest);
        }
        if ($event->isTerminal()) {
            $this->state = $this->state->end();
        }

        return $event;
    }

    /** The terminal event where the worker wrote none. */
    private function missingEnd(): Event
    {
        [$type, $body] = match ($this->state) {
            State::Overdue => ['error', Ending::timeout()],
            State::Stopping => ['aborted', Ending::stopped()],
            default => ['error', Ending::lost($this->transport->exitStatus())],
        };
        $echoed = array_intersect_key((array) $this->request->jsonSerialize(), ['metadata' => true]);

        return $this->reader->compose($type, $body + $echoed);
    }

    private function tick(): void
    {
        if ($this->state->isOver()) {
            return;
        }
        if (self::now() > $this->deadline) {
            $this->state = $this->state->expire();
            $this->transport->terminate();
        }
        foreach ($this->listeners as $listener) {
            $listener();
        }
        $this->state->isStopped() || $this->permissions->tick();
    }

    private function report(): void
    {
        $terminal = $this->reader->terminal();
        $context = [
            'run' => $this->id,
            'end' => $terminal === null ? 'abandoned' : $terminal->type,
            'code' => $terminal instanceof ErrorEvent ? $terminal->code : null,
            'exit_code' => $this->exitCode(),
            'stderr' => $this->stderr(),
        ];
        $level = $terminal instanceof ErrorEvent ? 'warning' : 'debug';
        $this->logger->log($level, 'An agent run ended.', $context);
    }

    private static function now(): float
    {
        return hrtime(true) / 1e9;
    }

    private static function uuid(): string
    {
        $bytes = random_bytes(16);
        $bytes[6] = chr(ord($bytes[6]) & 0x0f | 0x40);
        $bytes[8] = chr(ord($bytes[8]) & 0x3f | 0x80);

        return vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(bin2hex($bytes), 4));
    }
}
