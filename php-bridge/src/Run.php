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
use AgentWorkers\Event\Question;
use AgentWorkers\Event\ToolOutput;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Process\Lasting;
use AgentWorkers\Process\Transport;
use AgentWorkers\Run\AnswerText;
use AgentWorkers\Run\AppTools;
use AgentWorkers\Run\Controls;
use AgentWorkers\Run\Ending;
use AgentWorkers\Run\EventReader;
use AgentWorkers\Run\Permissions;
use AgentWorkers\Run\Questions;
use AgentWorkers\Run\State;
use Psr\Log\LoggerInterface;
use Symfony\Component\Process\Exception\ProcessTimedOutException;

/**
 * One run: iterate it for its events. The last one is terminal, whatever happens. Leaving the loop early stops the
 * worker; a run of the fleet goes on.
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
    private readonly Questions $questions;
    private readonly AppTools $tools;
    /** @var list<\Closure(): mixed> */
    private array $listeners = [];
    /** @var list<\Closure(Event): mixed> */
    private array $observers = [];
    /** @var list<\Closure(): mixed> */
    private array $followers = [];
    /** @var list<\Closure(string, string): mixed> */
    private array $hearers = [];
    private State $state = State::Ready;
    private float $deadline = INF;
    private ?string $actor = null;

    /**
     * @internal a Runner makes runs
     *
     * @param int $seq number of the last event that the reader has
     */
    public function __construct(
        Request $request,
        private readonly Transport $transport,
        private readonly LoggerInterface $logger,
        private readonly float $overtime,
        int $seq = 0,
    ) {
        $id = $request->get('run');
        $this->id = is_string($id) ? $id : self::uuid();
        $this->request = $id === null ? $request->run($this->id) : $request;
        $this->json = $this->request->toJson();
        $this->reader = new EventReader($this->id, $logger, $seq);
        $this->controls = new Controls($this->id, $transport, $logger);
        $this->permissions = new Permissions($this->decide(...), $logger);
        $this->questions = new Questions($this->answer(...), $logger);
        $print = $request->wantsToolOutput() ? $this->toolOutput(...) : null;
        $this->tools = new AppTools(
            $request->handlers(),
            $this->toolResult(...),
            $print,
            $logger,
            $transport instanceof Lasting ? self::claimed($transport) : null,
        );
    }

    /** @return \Generator<int, Event> */
    public function getIterator(): \Generator
    {
        $this->state = $this->state->begin();
        $this->deadline = self::now() + $this->request->timeoutS() + $this->overtime;
        try {
            foreach ($this->events() as $event) {
                if (!$this->state->isStopped()) { // before the loop may answer it
                    $this->permissions->note($event);
                    $this->questions->note($event);
                }
                $this->tools->note($event);
                yield $this->observed($event);
                $this->state->isStopped() || $this->isLeft() || $this->tools->run();
            }
            if (!$this->state->isOver()) {
                yield $this->observed($this->missingEnd());
            }
        } finally {
            $hasEnded = $this->state->isOver();
            $this->state = $hasEnded || !$this->transport instanceof Lasting
                ? $this->state->end()
                : $this->state->leave();
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
        [$answer, $event] = [new AnswerText(), null];
        foreach ($this as $event) {
            $answer->add($event);
        }

        return match (true) {
            $event instanceof Done => $answer->complete($event),
            $event instanceof Aborted => throw new RunAbortedException($event),
            $event instanceof ErrorEvent => throw new RunFailedException($event),
            default => throw new LogicException('The run was left before its end: there is no answer yet.'),
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
     * Calls the hearer with each word that the agent is said by steer(): the id of its message, and its text, which no
     * event tells.
     *
     * @param \Closure(string, string): mixed $hearer
     */
    public function onSteer(\Closure $hearer): self
    {
        $this->hearers[] = $hearer;

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
     * Asks the closure what the user answers to a question of the agent. It returns an array with the text of each
     * question as key and as value a text, or a list of texts where several options may be chosen; or null while there
     * is no answer, and is then called again on each tick. With several closures, the first answer counts. If a closure
     * throws, that is logged, and the agent is told in the end that nobody answered.
     *
     * @param \Closure(Question): (array<string, string|list<string>>|null) $handler
     */
    public function onQuestion(\Closure $handler): self
    {
        $this->questions->askedOf($handler);

        return $this;
    }

    /**
     * Calls the closure with each piece of what tools print, before the loop gets it. The request must ask for that:
     * Request::toolOutput().
     *
     * @param \Closure(ToolOutput): mixed $listener
     */
    public function onToolOutput(\Closure $listener): self
    {
        return $this->onEvent(static function (Event $event) use ($listener): void {
            $event instanceof ToolOutput && $listener($event);
        });
    }

    /** Sets who answers what this side answers and names nobody for, such as the id of the signed-in user. */
    public function actor(?string $actor): self
    {
        $this->actor = Controls::named($actor);

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

    /**
     * Stops following: the loop ends at once. A run of the fleet goes on, unless its runner says otherwise; any other
     * is stopped, as by stop().
     */
    public function leave(): void
    {
        if ($this->transport instanceof Lasting) {
            $this->state = $this->state->leave();
            $this->transport->leave();
        } else {
            $this->stop();
        }
    }

    /** Whether this side has stopped following a run that may go on without it. */
    public function isLeft(): bool
    {
        return $this->state === State::Left;
    }

    /** Whether it goes on when nobody follows it, as a run of the fleet does. */
    public function isLasting(): bool
    {
        return $this->transport instanceof Lasting;
    }

    /**
     * Lets the handlers answer these calls, too, which came before what this side reads.
     *
     * @internal
     */
    public function expect(AppToolCall ...$calls): self
    {
        array_map($this->tools->note(...), $calls);

        return $this;
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
        ?string $actor = null,
    ): ?string {
        return $this->decide($permissionId, Decision::of($behavior, $message, $updatedInput)->by($actor));
    }

    /** Answers a `permission_request`, as permission() does. */
    public function decide(string $permissionId, Decision $decision): ?string
    {
        $named = $decision->by($decision->actor ?? $this->actor);
        $id = $this->state->isOver() ? null : $this->controls->permission($permissionId, $named);
        $this->permissions->settled($permissionId);

        return $id;
    }

    /**
     * Answers a `question`. Each of its questions needs an answer: the label of an option, or a text of one's own.
     *
     * @param array<string, string|list<string>> $answers by the text of the question; a list where several options may
     *                                                    be chosen
     * @param string|null $signature of the application's own, which `question_resolved` repeats; Signer makes one
     *
     * @return string|null id of the `ack` that will come; null where the run is over
     */
    public function answer(
        string $questionId,
        array $answers,
        ?string $actor = null,
        ?string $signature = null,
    ): ?string {
        $checked = Questions::checked($answers);
        $actor ??= $signature === null ? $this->actor : null; // a signature names who answers
        $id = $this->state->isOver() ? null : $this->controls->answer($questionId, $checked, $actor, $signature);
        $this->questions->settled($questionId);

        return $id;
    }

    /**
     * Says a word to the agent while it works. It reads it with its next tool result: then `steered` comes, and an
     * `ack` that is ok. A word that comes too late for that is refused by an `ack` with the code too_late.
     *
     * @param string|null $id of the message, for `ack` and `steered`; 1 to 128 characters
     *
     * @return string|null its id; null where the run is over, and nobody will read it
     */
    public function steer(string $text, ?string $actor = null, ?string $id = null): ?string
    {
        if (trim($text) === '') {
            throw new InvalidArgumentException('There is nothing to say to the agent. Pass a text.');
        }

        $said = $this->state->isUnderway() && !$this->state->isStopped()
            ? $this->controls->steer($text, $actor ?? $this->actor, $id)
            : null;
        foreach ($said === null ? [] : $this->hearers as $hear) {
            $hear($said, $text);
        }

        return $said;
    }

    /** Tells what an application's tool prints while it runs. Needs Request::toolOutput(). */
    public function toolOutput(string $callId, string $text): ?string
    {
        return $text === '' || $this->state->isOver() ? null : $this->controls->toolOutput($callId, $text);
    }

    /**
     * Answers an `app_tool_call`. The request's handler is then not called for it.
     *
     * @param string|list<array<string, mixed>> $content text, or content blocks
     *
     * @param bool|null $retryable whether the same call may succeed later, where it failed
     * @param bool $replayed whether the content comes from the record of an earlier attempt
     *
     * @return string|null id of the `ack` that will come; null where the run is over
     */
    public function toolResult(
        string $callId,
        string|array $content,
        bool $isError = false,
        ?bool $retryable = null,
        bool $replayed = false,
        ?string $actor = null,
    ): ?string {
        $this->tools->settled($callId);
        $who = $actor ?? $this->actor;

        return $this->state->isOver()
            ? null
            : $this->controls->toolResult($callId, $content, $isError, $retryable, $replayed, $who);
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

        return $this->reader->compose($type, $body + $this->request->echoed());
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
        if (!$this->state->isStopped()) {
            $this->permissions->tick();
            $this->questions->tick();
            $this->tools->run(); // one that has printed may be waiting
        }
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

    /** @return \Closure(AppToolCall): bool */
    private static function claimed(Lasting $transport): \Closure
    {
        return static fn (AppToolCall $call): bool
            => $transport->claims($call->toolUseId ?? $call->callId, $call->expiresAt);
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
