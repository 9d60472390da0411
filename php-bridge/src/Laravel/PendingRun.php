<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel;

use AgentWorkers\AppTool;
use AgentWorkers\Command\Command;
use AgentWorkers\Decision;
use AgentWorkers\Event\Done;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\PermissionRequest;
use AgentWorkers\Event\Question;
use AgentWorkers\Event\ToolOutput;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Fleet\Fleet;
use AgentWorkers\Fleet\JobOptions;
use AgentWorkers\FleetRunner;
use AgentWorkers\Laravel\Broadcast\Broadcasts;
use AgentWorkers\Laravel\Broadcast\BroadcastRun;
use AgentWorkers\Laravel\Events\Announcer;
use AgentWorkers\Laravel\Fleet\Accepted;
use AgentWorkers\Laravel\Fleet\FleetAccess;
use AgentWorkers\Laravel\Http\Accept;
use AgentWorkers\Laravel\Http\Actor;
use AgentWorkers\Laravel\Http\Answers;
use AgentWorkers\Laravel\Http\Approvals;
use AgentWorkers\Laravel\Http\Conversations;
use AgentWorkers\Laravel\Http\Owner;
use AgentWorkers\Laravel\Http\Refusal;
use AgentWorkers\Laravel\Http\RunLinks;
use AgentWorkers\Laravel\Queue\EventHandler;
use AgentWorkers\Laravel\Queue\RunAgent;
use AgentWorkers\Laravel\Records\Budget;
use AgentWorkers\Laravel\Records\ConversationRecords;
use AgentWorkers\Laravel\Records\Facts;
use AgentWorkers\Laravel\Records\Party;
use AgentWorkers\Laravel\Records\Recorder;
use AgentWorkers\Laravel\Stream\HiddenFolder;
use AgentWorkers\Laravel\Stream\LiveResponse;
use AgentWorkers\Laravel\Stream\Recording;
use AgentWorkers\Laravel\Stream\Store;
use AgentWorkers\Laravel\Stream\StreamSlots;
use AgentWorkers\PoolRunner;
use AgentWorkers\Request;
use AgentWorkers\Run;
use AgentWorkers\Runner;
use AgentWorkers\Sse\Encoder;
use AgentWorkers\Sse\Format;
use Illuminate\Broadcasting\Channel;
use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Contracts\Bus\Dispatcher;
use Illuminate\Contracts\Container\Container;
use Illuminate\Contracts\Support\Responsable;
use Illuminate\Http\Exceptions\HttpResponseException;
use Illuminate\Http\Request as HttpRequest;
use Illuminate\Support\Traits\Conditionable;
use Illuminate\Support\Traits\Macroable;
use Illuminate\Support\Traits\Tappable;
use Psr\Log\LoggerInterface;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\HttpFoundation\StreamedResponse;

/**
 * A run that has not begun. Returned from a controller, it streams to the browser; one of the fleet answers 202 instead
 * to a request that expects JSON.
 */
final class PendingRun implements Responsable
{
    use Conditionable;
    use Macroable;
    use Tappable;

    private const NO_KEYS = 'A queued run cannot carry a credential(): the key would lie in the queue, for all who '
        . 'read it. Queue a job of your own that reads the key when it runs, and calls credential() there.';

    private ?string $conversation = null;
    private ?string $owner = null;
    private ?string $tenant = null;
    private ?Party $party = null;
    private Format|Encoder|null $format = null;
    /** @var list<string> */
    private array $appTools = [];
    /** @var list<\Closure(PermissionRequest): (Decision|bool|null)|null> null stands for the visitor */
    private array $askers = [];
    /** @var list<\Closure(Question): (array<string, string|list<string>>|null)> */
    private array $questionHandlers = [];
    /** @var list<\Closure(ToolOutput): mixed> */
    private array $outputListeners = [];
    /** @var list<\Closure(Event): mixed> */
    private array $observers = [];
    private ?Authenticatable $ownUser = null;
    private ?Command $command = null;
    private bool $isFolderHidden = false;
    /** @var list<string> */
    private array $channels = [];
    /** How it waits in the fleet; null where it is run here. */
    private ?JobOptions $job = null;

    /**
     * @internal Agents makes them
     *
     * @param mixed $maxTokens those of the configuration, which the engine agent would refuse
     */
    public function __construct(
        private readonly Container $app,
        private readonly Runner $runner,
        private Request $request,
        /** @internal */
        public readonly string $worker,
        private readonly mixed $maxTokens = null,
    ) {
    }

    public function systemPrompt(string $prompt): self
    {
        return $this->configure(static fn (Request $request): Request => $request->systemPrompt($prompt));
    }

    public function model(string $model): self
    {
        return $this->configure(static fn (Request $request): Request => $request->model($model));
    }

    /** What runs it: agent, or messages, the plain Messages API for what needs no tools but the application's. */
    public function engine(string $engine): self
    {
        return $this->configure(static fn (Request $request): Request => $request->engine($engine));
    }

    /** How many tokens one answer of the model may have; of the engine messages only. */
    public function maxTokens(int $tokens): self
    {
        return $this->configure(static fn (Request $request): Request => $request->maxTokens($tokens));
    }

    /** What the run is about, among your own things, such as ('partner', '417'): its first and last event repeat it. */
    public function subject(string $type, string|int $id): self
    {
        return $this->configure(static fn (Request $request): Request => $request->subject($type, $id));
    }

    /** For whom it runs: a user, by the id, or a name. Nobody is signed in by that, and nobody owns the run by it. */
    public function user(Authenticatable|string $user): self
    {
        $name = $user instanceof Authenticatable ? Actor::user($user) : $user;

        return $name === null
            ? $this
            : $this->configure(static fn (Request $request): Request => $request->user($name));
    }

    /** For which of your customers it runs: for records, budgets and the fleet. The model is never shown it. */
    public function tenant(string|int $tenant): self
    {
        $this->tenant = (string) $tenant;

        return $this;
    }

    /** What the run is meant to achieve. The model of a skill sees it, as data. */
    public function goal(string $goal): self
    {
        return $this->configure(static fn (Request $request): Request => $request->goal($goal));
    }

    /** The W3C trace context that the run belongs to, such as the `traceparent` of the application's own request. */
    public function traceparent(string $traceparent): self
    {
        return $this->configure(static fn (Request $request): Request => $request->traceparent($traceparent));
    }

    /**
     * Sets the key for the API that this run uses, and no other: of a user who brings one. See Request::credential().
     *
     * @throws InvalidArgumentException it is empty, or not one line
     */
    public function credential(#[\SensitiveParameter] string $key): self
    {
        $this->request = $this->request->credential($key);

        return $this;
    }

    /** @param \Closure(Request): Request $change gets and returns the request */
    public function configure(\Closure $change): self
    {
        $this->request = $change($this->request);

        return $this;
    }

    /**
     * Lets the agent call these tools of the application. By default it has none.
     *
     * @param string|class-string<AppTool> ...$tools names that Agent::tool() registered, or classes
     */
    public function appTools(string ...$tools): self
    {
        $this->appTools = array_values(array_unique([...$this->appTools, ...$tools]));

        return $this;
    }

    /** @param list<string> $names the tools that the agent of a task has, such as Read, Bash, mcp__crm__find */
    public function tools(array $names): self
    {
        return $this->configure(static fn (Request $request): Request => $request->tools($names));
    }

    /** @param list<string> $rules calls that need no permission, such as `Read` or `Bash(git status)` */
    public function allow(array $rules): self
    {
        return $this->configure(static fn (Request $request): Request => $request->permissions(allow: $rules));
    }

    /** @param list<string> $rules calls that are always denied */
    public function deny(array $rules): self
    {
        return $this->configure(static fn (Request $request): Request => $request->permissions(deny: $rules));
    }

    /** @param string $mode what happens to a call that no rule covers: deny, ask, defer, accept_edits or plan */
    public function mode(string $mode): self
    {
        return $this->configure(static fn (Request $request): Request => $request->permissions(mode: $mode));
    }

    /**
     * Asks about each call that no rule covers. onPermission() and askVisitor() say who answers; without them, or an
     * answer, the call is denied.
     */
    public function ask(?float $timeoutS = null): self
    {
        return $this->configure(
            static fn (Request $request): Request => $request->permissions(mode: 'ask', timeoutS: $timeoutS),
        );
    }

    /** @param \Closure(PermissionRequest): (Decision|bool|null) $handler is asked: see Run::onPermission() */
    public function onPermission(\Closure $handler): self
    {
        $this->askers[] = $handler;

        return $this->ask();
    }

    /**
     * Asks the visitor, who answers at the route of Agent::permissionRoutes(). Without an answer the call is denied.
     *
     * @param float|null $timeoutS seconds that a question waits; 120 if null
     */
    public function askVisitor(?float $timeoutS = null): self
    {
        $this->askers[] = null;

        return $this->ask($timeoutS);
    }

    /**
     * Lets the agent ask: adds the tool AskUserQuestion. onQuestion() says who answers; what it does not answer is for
     * the visitor, at the route of Agent::permissionRoutes(). Without an answer the agent goes on without one.
     *
     * @param float|null $timeoutS seconds that a question waits; 120 if null
     */
    public function questions(?float $timeoutS = null): self
    {
        return $this->configure(static fn (Request $request): Request => $request->questions($timeoutS));
    }

    /**
     * @param \Closure(Question): (array<string, string|list<string>>|null) $handler answers what the agent asks: see
     *     Run::onQuestion()
     */
    public function onQuestion(\Closure $handler): self
    {
        $this->questionHandlers[] = $handler;

        return $this->questions();
    }

    /** Shows what tools print while they run, as `tool_output` events. */
    public function toolOutput(bool $show = true): self
    {
        return $this->configure(static fn (Request $request): Request => $request->toolOutput($show));
    }

    /**
     * Tells the browser the files in the agent's folder by their names in it: the folder's path is taken out of the
     * events of a stream. Only what comes in pieces, such as the model's own words, may still spell it.
     */
    public function hideFolder(bool $hide = true): self
    {
        $this->isFolderHidden = $hide;

        return $this;
    }

    /** @param \Closure(ToolOutput): mixed $listener gets each piece of what tools print: see Run::onToolOutput() */
    public function onToolOutput(\Closure $listener): self
    {
        $this->outputListeners[] = $listener;

        return $this->toolOutput();
    }

    /** @param \Closure(Event): mixed $observer gets each event, before the browser does: see Run::onEvent() */
    public function onEvent(\Closure $observer): self
    {
        $this->observers[] = $observer;

        return $this;
    }

    /** Continues the session of an earlier run of the same owner(); a conversation() does so by itself. */
    public function resume(string $sessionId): self
    {
        return $this->configure(static fn (Request $request): Request => $request->session(resume: $sessionId));
    }

    /** Answers the call that the run to resume, in mode defer, left in `Done::$pending`. */
    public function decide(string $toolUseId, Decision $decision): self
    {
        return $this->configure(static fn (Request $request): Request => $request->decision($toolUseId, $decision));
    }

    /**
     * Sets the conversation, a UUID: its first run begins it, later runs of the same owner continue it. It has one run
     * at a time: another one fails with `session_busy`, a stream with HTTP 409.
     */
    public function conversation(?string $id): self
    {
        $this->conversation = $id === null ? null : strtolower($id);

        return $this;
    }

    /**
     * Sets who owns the run, its session and its conversation. By default that is the signed-in user, or the browser's
     * session.
     *
     * @param Authenticatable|string $owner a user, who also owns them in the browser, or a name
     */
    public function owner(Authenticatable|string $owner): self
    {
        $this->owner = $owner instanceof Authenticatable ? Owner::user($owner) : Owner::named($owner);
        $this->ownUser = $owner instanceof Authenticatable ? $owner : null;

        return $this;
    }

    /**
     * Has the fleet run it: a machine that has room for it, while this process may go. What it is told, and where it is
     * followed, is as for any other run. dispatch() submits it and does not wait.
     *
     * @param JobOptions|(\Closure(JobOptions): JobOptions)|null $job how it waits, and how often it is tried; a closure
     *     gets what the configuration says
     */
    public function onFleet(JobOptions|\Closure|null $job = null): self
    {
        $usual = $this->job ?? $this->app->make(FleetAccess::class)->job();
        $this->job = $job instanceof \Closure ? $job($usual) : $job ?? $usual;

        return $this;
    }

    /**
     * Broadcasts its events on these channels, as `agent.event`: from the process that holds the run, and from a job of
     * the application's queue where the fleet runs it. Frames are of 10 KB at most, in the run's order, and the
     * terminal event is always among them.
     *
     * @param Channel|string ...$channels such as new PrivateChannel("runs.$user->id"); who may listen, you say where
     *     you authorize channels
     */
    public function broadcastOn(Channel|string ...$channels): self
    {
        $this->channels = array_map(strval(...), array_values($channels));

        return $this;
    }

    /**
     * Sets the format of the stream, instead of `stream.format` in the configuration; an encoder is for one run.
     *
     * @throws InvalidArgumentException there is no format of this name
     */
    public function format(Format|Encoder|string $format): self
    {
        $this->format = is_string($format) ? Format::named($format) : $format;

        return $this;
    }

    /**
     * Runs a tool for the visitor, instead of an agent: Agents finds it in what a browser sent. null lets the agent
     * have what was typed.
     */
    public function command(?Command $command): self
    {
        $this->command = $command;

        return $this;
    }

    public function request(): Request
    {
        return $this->whole($this->request);
    }

    /**
     * Waits for the answer.
     *
     * @throws RunFailedException
     * @throws RunAbortedException
     */
    public function run(): Done
    {
        return $this->events()->wait();
    }

    /** Waits for the answer's text; fails like run(). */
    public function text(): string
    {
        return $this->run()->text;
    }

    /**
     * Waits for the output: of a skill, or for the request's `output_schema`. Fails like run().
     *
     * @return array<array-key, mixed>
     *
     * @throws LogicException the answer has no output
     */
    public function output(): array
    {
        $output = $this->run()->output;

        return is_array($output) ? $output : throw new LogicException(
            'The answer has no output. Skills have one, and requests with an outputSchema() of objects or lists; a '
                . 'fake of a skill gives one by FakeRunner::skill().',
        );
    }

    /**
     * Returns the run, to iterate for its events.
     *
     * @throws RunFailedException the conversation is somebody else's, or busy
     */
    public function events(): Run
    {
        $owner = $this->ownerOf($this->app->make('request'));
        $run = $this->begin($owner);
        if ($owner !== null && !$run->isLasting()) {
            $store = $this->app->make(Store::class);
            Recording::follow($run, $store, $owner, $this->app->make(LoggerInterface::class), $this->hidden());
        }

        return $run;
    }

    /**
     * Queues the run; one of the fleet is submitted, and Accepted says where it is followed.
     *
     * @param class-string<EventHandler>|null $handler gets each event; without one, each is dispatched as AgentEvent.
     *     The fleet has none
     *
     * @return Accepted|mixed
     *
     * @throws LogicException a closure that the run needs cannot be queued
     */
    public function dispatch(?string $handler = null): mixed
    {
        if ($this->closures() !== []) {
            throw new LogicException(
                'A queued run cannot use onPermission(), askVisitor(), onQuestion(), onToolOutput() or onEvent(): '
                    . 'closures cannot be queued. Use ask(), questions() and toolOutput(), and answer with '
                    . 'Run::decide() and Run::answer() in the EventHandler, which gets all events.',
            );
        }
        if ($this->request->handlers() !== []) {
            throw new LogicException(
                'A queued run cannot carry the closures of appTool(). Register the tools with Agent::tool(), and name '
                    . 'them in appTools().',
            );
        }
        if ($this->request->hasCredential()) {
            throw new LogicException($this->job !== null ? Fleet::NO_KEYS : self::NO_KEYS);
        }
        if ($this->command !== null) {
            throw new LogicException(
                'A command that a person typed cannot be queued. Stream it, or call command(null) to let the agent '
                    . 'have it.',
            );
        }
        $owner = $this->ownerOf($this->app->make('request'));
        if ($this->conversation !== null && $owner === null) {
            throw new LogicException(Conversations::NO_OWNER);
        }
        if ($this->job !== null) {
            return $this->submit($owner, $handler);
        }
        $job = new RunAgent(
            $this->whole($this->owned($owner))->toArray(),
            $handler,
            $this->worker,
            $this->appTools,
            $this->conversation,
            $owner,
        );
        $job->channels = $this->channels;
        $job->party = $this->party($owner)->toArray();

        return $this->app->make(Dispatcher::class)->dispatch($job);
    }

    public function stream(?HttpRequest $request = null): StreamedResponse
    {
        $owner = $this->ownerOf($request ?? $this->app->make('request'));
        $response = $this->app->make(LiveResponse::class);
        $format = $this->format ?? $response->usualFormat();
        $slot = $this->app->make(StreamSlots::class)->take();
        try {
            $run = $this->begin($owner);
        } catch (RunFailedException $refusal) {
            throw new HttpResponseException(Refusal::of($refusal)->json());
        }

        return $response->of($run, $owner, $format, $slot, $this->hidden());
    }

    private function hidden(): ?HiddenFolder
    {
        $folder = $this->request->get('cwd');

        return $this->isFolderHidden && is_string($folder) ? new HiddenFolder($folder) : null;
    }

    /** @param HttpRequest $request */
    public function toResponse($request): Response
    {
        if ($this->isInFleet() && Accept::asksForJson($request)) {
            try {
                return $this->dispatch()->toResponse($request);
            } catch (RunFailedException $refusal) {
                return Refusal::of($refusal)->json();
            }
        }

        return $this->stream($request);
    }

    /**
     * Returns the request as one of a batch.
     *
     * @internal
     *
     * @param string $program that runs it
     *
     * @throws LogicException it needs what only a run of its own has
     */
    public function inBatch(string $program): Request
    {
        $isPlain = $this->closures() === [] && $this->appTools === [] && $this->conversation === null
            && $this->command === null && !$this->request->hasCredential();

        return $isPlain ? $this->whole($this->owned($this->owner))->with('worker', $program) : throw new LogicException(
            'A run of a batch has no tools of the application, no conversation, no command, no credential() and nobody '
                . 'who is asked or listens. Run it by itself, or on the queue.',
        );
    }

    /** @return list<\Closure|null> what a run that begins elsewhere cannot have */
    private function closures(): array
    {
        return [...$this->askers, ...$this->questionHandlers, ...$this->outputListeners, ...$this->observers];
    }

    private function isInFleet(): bool
    {
        return $this->job !== null && $this->command === null;
    }

    private function submit(?string $owner, ?string $handler): Accepted
    {
        if ($handler !== null) {
            throw new LogicException(
                'A run of the fleet has no EventHandler: no process of the application follows it. Follow it with '
                    . 'Agent::fleet()->events(), or leave onFleet() out to have your queue run it.',
            );
        }
        $links = $this->app->make(RunLinks::class);
        $runner = $this->runnerFor($owner);
        if (!$runner instanceof FleetRunner) {
            foreach ($run = $this->events() as $event) { // a fake, whose run is over at once
            }

            return new Accepted($run->id, 'queued', $links);
        }
        $state = '';
        $run = $this->opened($owner, function (Request $request) use ($runner, &$state): Run {
            $offered = $this->app->make(Agents::class)->offer($this->whole($request), $this->appTools);
            $submitted = $runner->submit($offered);
            $state = $submitted->state;

            return $runner->attach($offered->run($submitted->run));
        });
        $this->app->make(Recorder::class)->begin($this->facts($run->request, $owner));
        if ($this->channels !== []) {
            $this->app->make(Dispatcher::class)->dispatch(new BroadcastRun($run->id, $this->channels));
        }

        return new Accepted($run->id, $state, $links);
    }

    private function runnerFor(?string $owner): Runner
    {
        if ($this->job === null) {
            return $this->runner;
        }
        $hidden = $this->isFolderHidden ? $this->request->get('cwd') : null;
        $whose = $this->app->make(FleetAccess::class)->owner($owner ?? 'nobody');
        $job = $this->job->owner($whose)->keep('party', (string) json_encode((object) $this->party($owner)->toArray()));
        $job = $this->tenant === null || $job->get('tenant') !== null ? $job : $job->tenant($this->tenant);

        return $this->app->make(Agents::class)
            ->fleetRunner($this->worker, is_string($hidden) ? $job->keep('hidden', $hidden) : $job);
    }

    /** @param \Closure(Request): Run $start */
    private function opened(?string $owner, \Closure $start): Run
    {
        $party = $this->party($owner);
        if ($this->command === null) { // a tool costs nothing
            $this->app->make(Budget::class)->check($party->user ?? $owner, $party->tenant);
        }
        $namesSession = $this->command !== null || $this->job !== null || !$this->runner instanceof PoolRunner;

        return $this->conversation === null
            ? $start($this->owned($owner))
            : $this->app->make(Conversations::class)->start(
                $this->conversation,
                $owner,
                $this->request,
                $start,
                $this->command,
                $namesSession,
                $party,
            );
    }

    private function begin(?string $owner): Run
    {
        $start = $this->command !== null
            ? $this->app->make(Commands::class)->start($this->command, $this->signedIn(), $this->request)
            : fn (Request $request): Run
                => $this->runnerFor($owner)->stream(
                    $this->app->make(Agents::class)->offer($this->whole($request), $this->appTools),
                );
        $run = $this->opened($owner, $start);
        // What the visitor answers to a run of the fleet goes there, not through this process.
        $askers = $run->isLasting() ? array_filter($this->askers) : $this->askers;
        foreach ($askers as $asker) {
            $run->onPermission($asker ?? $this->visitor($owner));
        }
        foreach ($this->questionHandlers as $handler) {
            $run->onQuestion($handler);
        }
        foreach ($this->outputListeners as $listener) {
            $run->onToolOutput($listener);
        }
        foreach ($this->observers as $observer) {
            $run->onEvent($observer);
        }
        if ($owner !== null && !$run->isLasting()) {
            $run->onQuestion($this->app->make(Answers::class)->of($run, $owner));
        }

        if ($this->channels !== []) {
            $this->app->make(Broadcasts::class)->follow($run, $this->channels, $this->hidden());
        }
        $this->app->make(Recorder::class)->follow($run, $this->facts($run->request, $owner));
        $worker = $this->command === null ? $this->worker : Commands::WORKER;

        return $this->app->make(Announcer::class)->follow($run->actor($this->actor()), $worker);
    }

    private function facts(Request $request, ?string $owner): Facts
    {
        $worker = $this->command === null ? $this->worker : Commands::WORKER;
        $program = $this->app->make(Agents::class)->programOf($worker);
        // As it was asked: what the conversation's agent has not been told yet comes before it.
        $asked = $this->command === null ? $request->with('prompt', $this->request->get('prompt')) : $request;

        return Facts::of($asked, basename($program), $this->party($owner));
    }

    private function party(?string $owner): Party
    {
        if ($this->party !== null) {
            return $this->party;
        }
        $user = $this->ownUser ?? ($this->owner === null ? $this->signedIn() : null);

        return $this->party = new Party(
            $this->app->make(ConversationRecords::class)->idOf($this->conversation),
            $user === null ? $owner : Party::ownerNamed($user),
            is_string($named = $this->request->get('user')) ? $named : $this->actor(),
            $this->tenant ?? $this->job?->get('tenant'),
        );
    }

    /** Returns the request with the session's owner: the worker resumes the session for no other. */
    private function owned(?string $owner): Request
    {
        $isSaid = $owner === null || $this->request->get('session_owner') !== null;

        return $isSaid ? $this->request : $this->request->sessionOwner($owner);
    }

    /** Returns the request with what the configuration says for the engine messages, unless an agent is to run it. */
    private function whole(Request $request): Request
    {
        $isSaid = array_key_exists('max_tokens', $request->toArray());
        $isLeftOut = $this->maxTokens === null || $isSaid || $request->get('engine') === 'agent';

        return $isLeftOut ? $request : $request->with('max_tokens', $this->maxTokens);
    }

    private function ownerOf(HttpRequest $request): ?string
    {
        return $this->owner ?? Owner::of($request);
    }

    private function signedIn(): ?Authenticatable
    {
        return $this->ownUser ?? $this->app->make('request')->user();
    }

    private function actor(): ?string
    {
        $user = $this->signedIn();

        return $user === null ? null : Actor::user($user);
    }

    /** @return \Closure(PermissionRequest): ?Decision */
    private function visitor(?string $owner): \Closure
    {
        return $this->app->make(Approvals::class)->of($owner ?? throw new LogicException(
            'There is no visitor to ask: the request has neither a signed-in user nor a session. Answer with '
                . 'onPermission() instead.',
        ));
    }
}
