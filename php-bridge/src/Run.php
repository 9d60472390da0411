<?php

declare(strict_types=1);

namespace AgentWorkers;

use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\Ack;
use AgentWorkers\Event\AppToolCall;
use AgentWorkers\Event\Done;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Event\PermissionRequest;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Process\Transport;
use AgentWorkers\Run\AnswerText;
use AgentWorkers\Run\AppTools;
use AgentWorkers\Run\Ending;
use AgentWorkers\Run\EventReader;
use AgentWorkers\Run\Permissions;
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
    private const DEFAULT_TIMEOUT_S = 300.0;

    public readonly string $id;
    public readonly Request $request;
    private readonly string $json;
    private readonly EventReader $reader;
    private readonly Permissions $permissions;
    private readonly AppTools $tools;
    /** The call that a tool of the application will answer, unless somebody else does before. */
    private ?AppToolCall $call = null;
    /** @var list<\Closure(): mixed> */
    private array $listeners = [];
    /** @var list<\Closure(Event): mixed> */
    private array $observers = [];
    /** @var list<\Closure(): mixed> */
    private array $followers = [];
    private bool $isBegun = false;
    private bool $isOver = false;
    private bool $isStopping = false;
    private bool $isOverdue = false;
    private int $controls = 0;
    /** @var array<string, string> ids of calls by those of the messages with their results */
    private array $results = [];
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
        $this->permissions = new Permissions($this->decide(...), $logger);
        $this->tools = new AppTools($request->handlers(), $logger);
    }

    /** @return \Generator<int, Event> */
    public function getIterator(): \Generator
    {
        if ($this->isBegun) {
            throw new LogicException('A run can be iterated only once.');
        }
        $this->isBegun = true;
        $this->deadline = self::now() + $this->timeout() + $this->overtime;
        try {
            foreach ($this->events() as $event) {
                $this->isStopping || $this->permissions->note($event); // before those see it who might answer at once
                $this->call = $event instanceof AppToolCall ? $event : null;
                yield $this->observed($event);
                $this->runTool();
            }
            if (!$this->isOver) {
                yield $this->observed($this->end());
            }
        } finally {
            $isEnded = $this->isOver;
            $this->isOver = true;
            try {
                $isEnded ? $this->transport->finish() : $this->transport->stop();
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
     * Calls the listener about five times a second while the next event is waited for: the place for heartbeats, and
     * for looking whether somebody wants the run stopped.
     *
     * @param \Closure(): mixed $listener
     */
    public function onTick(\Closure $listener): self
    {
        $this->listeners[] = $listener;

        return $this;
    }

    /**
     * Calls the observer with each event, before the loop sees it.
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
     * Has the closure asked whether a tool call may run: when the question comes, before the loop sees it, and as long
     * as the answer is null (not yet) on each tick, until it is settled or expires. Of several closures, the first
     * answer holds. What a closure throws is logged, and the call denied.
     *
     * @param \Closure(PermissionRequest): (Decision|bool|null) $handler
     */
    public function onPermission(\Closure $handler): self
    {
        $this->permissions->askedOf($handler);

        return $this;
    }

    /** Asks the worker to stop the run, which ends with `aborted`. One that does not obey is stopped after its grace. */
    public function abort(): void
    {
        $this->isStopping = true;
        if ($this->isBegun && !$this->isOver) {
            $this->control('abort', []);
            $this->transport->terminateAfterGrace();
        }
    }

    /** Like abort(), by SIGTERM. Returns at once: go on iterating. */
    public function stop(): void
    {
        $this->isStopping = true;
        if ($this->isBegun && !$this->isOver) {
            $this->transport->terminate();
        }
    }

    /** Whether abort() or stop() was called: the terminal event may still be on its way. */
    public function isStopping(): bool
    {
        return $this->isStopping;
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
            throw new InvalidArgumentException(sprintf('A behavior is allow or deny, not "%s".', $behavior));
        }
        $id = $this->control('permission', [
            'permission_id' => $permissionId,
            'behavior' => $behavior,
            'message' => $message,
            'updated_input' => $updatedInput === null ? null : (object) $updatedInput,
        ]);
        $this->permissions->settled($permissionId);

        return $id;
    }

    /** Answers a `permission_request`, as permission() does. */
    public function decide(string $permissionId, Decision $decision): ?string
    {
        return $this->permission($permissionId, $decision->behavior, $decision->message, $decision->updatedInput);
    }

    /**
     * Answers an `app_tool_call`. A handler in the request is not called any more, then.
     *
     * @param string|list<array<string, mixed>> $content text, or content blocks
     *
     * @return string|null id of the `ack` that will come; null where the run is over
     */
    public function toolResult(string $callId, string|array $content, bool $isError = false): ?string
    {
        if ($this->call?->callId === $callId) {
            $this->call = null;
        }

        $id = $this->control('app_tool_result', [
            'call_id' => $callId,
            'content' => $content,
            'is_error' => $isError ?: null,
        ]);
        if ($id !== null) {
            $this->results[$id] = $callId;
        }

        return $id;
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
        if ($this->isStopping) {
            return;
        }
        try {
            foreach ($this->transport->chunks($this->json, $this->tick(...)) as $chunk) {
                foreach ($this->reader->push($chunk) as $event) {
                    yield $this->seen($event);
                }
                if ($this->isOver) {
                    return;
                }
            }
        } catch (ProcessTimedOutException) {
            $this->isOverdue = true; // configureProcess() set a timeout of its own
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
        $this->isOver = $event->isTerminal();
        if ($event instanceof Ack) {
            $this->acknowledged($event);
        }
        if ($event instanceof Aborted && $this->isOverdue) {
            $rest = array_diff_key($event->data, ['type' => true, 'reason' => true]);

            return EventFactory::fromArray(['type' => 'error'] + Ending::timeout() + $rest);
        }

        return $event;
    }

    /** A result that the worker could not read has changed nothing: the model would wait for another. */
    private function acknowledged(Ack $ack): void
    {
        $callId = $this->results[$ack->id] ?? null;
        unset($this->results[$ack->id]);
        if ($ack->ok || $ack->code === 'not_pending') {
            return;
        }
        $this->logger->warning('The worker refused a message.', ['run' => $this->id, 'code' => $ack->code]);
        if ($callId !== null) {
            $this->control('app_tool_result', [
                'call_id' => $callId,
                'content' => 'The tool gave a result that cannot be sent.',
                'is_error' => true,
            ]);
        }
    }

    private function runTool(): void
    {
        $call = $this->call;
        if ($call !== null && !$this->isStopping && $this->tools->has($call->name)) {
            $answer = $this->tools->answer($call);
            if ($answer !== null && $this->call !== null) { // the tool may have answered by itself
                $this->toolResult($call->callId, ...$answer);
            }
        }
    }

    private function end(): Event
    {
        [$type, $body] = match (true) {
            $this->isOverdue => ['error', Ending::timeout()],
            $this->isStopping => ['aborted', Ending::stopped()],
            default => ['error', Ending::lost($this->transport->exitStatus())],
        };
        $echoed = array_intersect_key((array) $this->request->jsonSerialize(), ['metadata' => true]);

        return $this->reader->compose($type, $body + $echoed);
    }

    private function tick(): void
    {
        if ($this->isOver) {
            return;
        }
        if (self::now() > $this->deadline) {
            $this->isOverdue = true;
            $this->transport->terminate();
        }
        foreach ($this->listeners as $listener) {
            $listener();
        }
        $this->isStopping || $this->permissions->tick();
    }

    /** @param array<string, mixed> $fields those that are null are left out */
    private function control(string $type, array $fields): ?string
    {
        $id = 'c' . ++$this->controls;
        $message = ['type' => $type, 'id' => $id] + array_filter($fields, static fn (mixed $field) => $field !== null);
        $json = json_encode($message, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE);

        return !$this->isOver && $this->transport->send($json) ? $id : null;
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

    private function timeout(): float
    {
        $limits = (array) $this->request->get('limits');
        $timeout = $limits['timeout_s'] ?? null;

        return is_int($timeout) || is_float($timeout) ? (float) $timeout : self::DEFAULT_TIMEOUT_S;
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
