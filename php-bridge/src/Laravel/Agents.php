<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel;

use AgentWorkers\AppTool;
use AgentWorkers\Batch\BatchOptions;
use AgentWorkers\Batch\BatchResult;
use AgentWorkers\Batch\BatchRunner;
use AgentWorkers\Batch\ProcessBatchRunner;
use AgentWorkers\Command\Detector;
use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Exception\FleetException;
use AgentWorkers\Exception\InvalidAgentException;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Exception\RunOverException;
use AgentWorkers\Fleet\Fleet;
use AgentWorkers\Fleet\JobOptions;
use AgentWorkers\Fleet\Told;
use AgentWorkers\FleetRunner;
use AgentWorkers\Laravel\Events\BatchWatch;
use AgentWorkers\Laravel\Fleet\FleetAccess;
use AgentWorkers\Laravel\Fleet\JobRecords;
use AgentWorkers\Laravel\Fleet\Messages;
use AgentWorkers\Laravel\Http\AbortController;
use AgentWorkers\Laravel\Gateway\PendingToken;
use AgentWorkers\Laravel\Gateway\Settings as GatewaySettings;
use AgentWorkers\Laravel\Gateway\TokenController;
use AgentWorkers\Laravel\Gateway\WebhookController;
use AgentWorkers\Laravel\Http\Actor;
use AgentWorkers\Laravel\Http\AnswersInJson;
use AgentWorkers\Laravel\Http\ChatRequest;
use AgentWorkers\Laravel\Http\ConversationController;
use AgentWorkers\Laravel\Http\Owner;
use AgentWorkers\Laravel\Http\PermissionController;
use AgentWorkers\Laravel\Http\QuestionController;
use AgentWorkers\Laravel\Http\Runs;
use AgentWorkers\Laravel\Http\StatusController;
use AgentWorkers\Laravel\Http\SteerController;
use AgentWorkers\Laravel\Http\StreamController;
use AgentWorkers\Laravel\Records\AgentRun;
use AgentWorkers\Laravel\Records\Party;
use AgentWorkers\Laravel\Records\Recorder;
use AgentWorkers\Laravel\Records\Removal;
use AgentWorkers\Laravel\Stream\Steering;
use AgentWorkers\Laravel\Stream\Store;
use AgentWorkers\ProcessRunner;
use AgentWorkers\Request;
use AgentWorkers\Runner;
use AgentWorkers\Testing\FakeRunner;
use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Contracts\Config\Repository;
use Illuminate\Contracts\Container\Container;
use Illuminate\Contracts\Routing\Registrar;
use Illuminate\Database\Eloquent\Builder;
use Illuminate\Support\Traits\Conditionable;
use Illuminate\Support\Traits\Macroable;
use Illuminate\Support\Traits\Tappable;
use InvalidArgumentException;
use Psr\Log\LoggerInterface;

/** The workers of config/agent-workers.php, ready to run. */
final class Agents
{
    use Conditionable;
    use Macroable;
    use Tappable;

    /** Workers that a configuration may lack, because it was published before there were any, and their programs. */
    private const LATER = ['tool' => 'agent-tool', 'skill' => 'agent-skill'];
    private const LATER_PROGRAMS = [...self::LATER, 'batch' => 'agent-batch'];
    /** What a profile sets by the names of the contract, besides `limits` and `request`. */
    private const FIELDS = [
        'engine' => true, 'model' => true, 'max_tokens' => true, 'system_prompt' => true, 'max_turns' => true,
    ];
    /** What is started here is to do its work itself: by this variable it would have a pool do it. */
    private const NO_POOL = ['AGENT_WORKERS_POOL' => false];
    /** What asks for the token of a form, in each Laravel: a webhook is signed. */
    private const FORMS_ALONE = [
        \Illuminate\Foundation\Http\Middleware\VerifyCsrfToken::class,
        \Illuminate\Foundation\Http\Middleware\ValidateCsrfToken::class,
        \Illuminate\Foundation\Http\Middleware\PreventRequestForgery::class,
    ];
    private const ID = '[A-Za-z0-9._:-]{1,128}';
    private const CONVERSATION = '[A-Za-z0-9._:-]{1,191}';

    public function __construct(
        private readonly Container $app,
        private readonly Repository $config,
        private readonly Registry $registry,
    ) {
    }

    /** @param string|list<array<string, mixed>>|ChatRequest $prompt text, content blocks, or what the browser sent */
    public function chat(string|array|ChatRequest $prompt): PendingRun
    {
        return $this->worker('chat', $prompt);
    }

    /**
     * Runs an agent with tools in a directory.
     *
     * @param string|list<array<string, mixed>>|ChatRequest $prompt text, content blocks, or what the browser sent
     * @param string|null $cwd absolute; without it, `request.cwd` of the worker called "task"
     */
    public function task(string|array|ChatRequest $prompt, ?string $cwd = null): PendingRun
    {
        $run = $this->worker('task', $prompt);

        return $cwd === null ? $run : $run->configure(static fn (Request $request): Request => $request->cwd($cwd));
    }

    /**
     * Runs a skill on an input. PendingRun::output() waits for its output.
     *
     * @param array<string, mixed>|\stdClass $input satisfies the skill's input schema: see Request::skill()
     */
    public function skill(string $name, array|\stdClass $input): PendingRun
    {
        return $this->pending('skill', Request::skill($name, $input));
    }

    /**
     * Makes an agent of the application, as `php artisan make:agent` writes one.
     * `Agent::of(DealAgent::class)->prompt('…')` is a run of it.
     *
     * @template T of AgentDefinition
     *
     * @param class-string<T> $class
     * @param mixed ...$arguments for its constructor, in order or by name; the container makes the others
     *
     * @return T
     *
     * @throws InvalidAgentException it is no agent
     */
    public function of(string $class, mixed ...$arguments): AgentDefinition
    {
        if (!is_subclass_of($class, AgentDefinition::class)) {
            throw new InvalidAgentException($class, (class_exists($class)
                ? 'it is no agent, for it does not extend ' . AgentDefinition::class
                : 'there is no such class') . '. `php artisan make:agent` writes one.');
        }

        return $class::make(...$arguments);
    }

    /**
     * Runs many requests, some at a time, in one process of agent-batch. Requests are taken as results are: however
     * many there are, few are in memory. A request that fails is a result, too. Leaving the collection early stops all
     * runs.
     *
     * @param iterable<array-key, PendingRun|Request> $requests a PendingRun gets the settings of its worker
     * @param int|null $concurrency see BatchOptions for all of these
     *
     * @return PendingBatch<array-key, BatchResult> a LazyCollection of the results, in the order in which they end, by
     *     the keys of the requests; to be iterated once
     */
    public function batch(
        iterable $requests,
        ?int $concurrency = null,
        ?string $checkpoint = null,
        ?int $attempts = null,
        ?float $maxCostUsd = null,
        ?int $maxErrors = null,
        ?float $deadlineS = null,
        ?float $graceS = null,
    ): PendingBatch {
        $options = new BatchOptions(
            $concurrency,
            $checkpoint,
            $attempts,
            $maxCostUsd,
            $maxErrors,
            $deadlineS,
            $graceS,
        );

        $watch = $this->app->make(BatchWatch::class);

        return PendingBatch::of($this->batchRunner(), $this->inBatch($requests, $watch), $options, $watch);
    }

    /**
     * Registers a tool of the application, for runs that name it with PendingRun::appTools() or in their configuration.
     *
     * @param string $tool its name, or alone a class that implements AppTool, which the container makes for each call
     * @param array<string, mixed>|\stdClass|null $schema JSON Schema of the input, with `"type": "object"`
     * @param \Closure|null $handler takes the input, and after it whatever the container can make
     * @param float|null $timeoutS seconds after which a call fails; 60 if null
     */
    public function tool(
        string $tool,
        ?string $description = null,
        array|\stdClass|null $schema = null,
        ?\Closure $handler = null,
        ?float $timeoutS = null,
    ): RegisteredTool {
        if ($description !== null && $schema !== null && $handler !== null) {
            $this->registry->addTool($tool, $description, $schema, $handler, $timeoutS);
        } elseif (is_subclass_of($tool, AppTool::class)) {
            $this->registry->addToolClass($tool, $timeoutS);
        } else {
            throw new InvalidArgumentException(
                "Agent::tool() cannot register $tool. Pass a class that implements AppTool, or a name with a "
                    . 'description, a schema and a handler.',
            );
        }

        return new RegisteredTool($this->registry, $tool);
    }

    /**
     * Lets people run a tool from a chat, by a message such as `/find_partner city=Graz`, without the model. Nobody may
     * run what is not named here.
     *
     * @param string $tool the name of a tool that Agent::tool() registered; `server.tool` of `mcp_servers` in the
     *     configuration, or `server.*` for all of its tools
     * @param \Closure|string|bool $allow who may: a closure that takes the user (null if nobody is signed in) and, if
     *     it likes, the input, and returns true; an ability of the gate; or true for everybody who may chat
     * @param array<string, mixed>|\stdClass|null $schema JSON Schema of the input of a server's tool, by which
     *     `key=value` is read; the worker checks the input by the server's own, in any case
     */
    public function allowCommand(
        string $tool,
        \Closure|string|bool $allow,
        array|\stdClass|null $schema = null,
    ): void {
        $this->registry->commands[$tool] = new CommandRule($allow, $schema);
    }

    /**
     * @internal
     *
     * @param list<string> $tools names, or classes
     */
    public function offer(Request $request, array $tools): Request
    {
        return $this->registry->offer($request, $tools, $this->app);
    }

    /**
     * @param string|list<array<string, mixed>>|ChatRequest|Request $prompt text, content blocks, what the browser sent,
     *     or a request for a worker that has other fields than a prompt
     */
    public function worker(string $name, string|array|ChatRequest|Request $prompt): PendingRun
    {
        $content = $prompt instanceof ChatRequest ? $prompt->content() : $prompt;
        $run = $this->pending($name, $content instanceof Request ? $content : Request::prompt($content));
        $run->appTools(...$this->profile($name)['app_tools'] ?? []);

        if (!$prompt instanceof ChatRequest) {
            return $run;
        }
        // A tool takes no files: a prompt that has some is for the agent.
        $isCommand = $this->registry->commands !== [] && is_string($content);
        $command = $isCommand ? Detector::detect($content) : null;

        return $run->conversation($prompt->conversation())->command($command);
    }

    /**
     * Says a word to the agent of a run that another process holds, or the fleet: it reads it with its next tool
     * result. What came of it is told by the run's events: `steered`, or an `ack` with the code too_late.
     *
     * @param Authenticatable|string|null $owner whose run it is; without one, the visitor's
     *
     * @return string|null id of the message, as these events bear it; null if the run's process did not come to take it
     *
     * @throws RunOverException there is no such run of this owner, or it has ended
     */
    public function steer(string $run, string $text, Authenticatable|string|null $owner = null): ?string
    {
        $request = $this->app->make('request');
        [$name, $actor] = match (true) {
            $owner instanceof Authenticatable => [Owner::user($owner), Actor::user($owner)],
            is_string($owner) => [Owner::named($owner), Actor::of($request)],
            default => [Owner::of($request), Actor::of($request)],
        };

        $job = $this->app->make(Runs::class)->ownedBy($name, $run)?->job;

        return $job === null
            ? $this->app->make(Steering::class)->say($name, $run, $text, $actor)
            : $this->app->make(Messages::class)->steer($job, $text, $actor);
    }

    /**
     * Stops a run, whoever's it is and whatever holds it: a process of this application, of its queue, or the fleet. It
     * asks no gate: who may do that is for the caller to say.
     *
     * @return Told what came of it; Told::Unknown where neither this application nor its fleet holds the run
     */
    public function abort(string $run): Told
    {
        $store = $this->app->make(Store::class);
        $owner = $store->ownerOf($run);
        if ($owner !== null && $store->head($owner, $run) !== null) {
            $isOver = $store->isOver($owner, $run);
            $isOver || $store->askAbort($owner, $run);

            return $isOver ? Told::Over : Told::Sent;
        }
        $access = $this->app->make(FleetAccess::class);
        $job = $access->isThere() ? $access->fleet()->status($run) : null;

        return $job !== null && $access->isOurs($job) ? $access->fleet()->abort($run) : Told::Unknown;
    }

    /**
     * Records what runs of the fleet have said that nobody follows, as `agent:records flush` does: for a page that
     * shows how they stand.
     *
     * @return int how many runs
     *
     * @throws FleetException Redis is away
     */
    public function catchUp(): int
    {
        $isThere = $this->app->make(Recorder::class)->isOn() && $this->app->make(FleetAccess::class)->isThere();

        return $isThere ? $this->app->make(JobRecords::class)->catchUp() : 0;
    }

    /**
     * Deletes what is recorded of a run that has ended: what was said, done and spent in it, and the agent's own files
     * of its session where no other run is recorded of that.
     *
     * @return bool whether it was recorded
     */
    public function forgetRun(string $run): bool
    {
        $this->app->make(Recorder::class)->flush(); // what waits to be written is forgotten, too

        return $this->app->make(Removal::class)->all(
            static fn (): Builder => AgentRun::query()->whereKey($run)->where('status', '!=', 'running'),
        ) > 0;
    }

    /**
     * Says who else may follow a run, besides its owner: a closure that takes the user (null if nobody is signed in)
     * and the run's id, and returns true. It sees all that the run says.
     *
     * @param \Closure(mixed, string): mixed $mayFollow
     * @param (\Closure(mixed, string): mixed)|null $mayAnswer who of them may also stop it, answer its questions and
     *     say a word to its agent; nobody, if null
     */
    public function viewersUsing(\Closure $mayFollow, ?\Closure $mayAnswer = null): void
    {
        $this->registry->mayFollow = $mayFollow;
        $this->registry->mayAnswer = $mayAnswer;
    }

    /**
     * Says which recorded conversations a request may list, see, rename and delete. Where nothing is said, those of the
     * signed-in user, or else of the browser's session.
     *
     * @param \Closure(\Illuminate\Http\Request): mixed $resolver returns a user, the owner's id, an array with owner
     *     and tenant, a closure that takes the Eloquent query, or null for none
     */
    public function conversationsFor(\Closure $resolver): void
    {
        $this->registry->conversationsFor = $resolver;
    }

    /**
     * Says what may be spent in a day, instead of `records.budgets` in the configuration. A run that begins when it has
     * been spent fails with `budget_exhausted`.
     *
     * @param \Closure(?string, ?string): mixed $budget takes the user's id and the tenant; returns US dollars for the
     *     user, or an array with user, tenant and total; null is no limit
     */
    public function budget(\Closure $budget): void
    {
        $this->registry->budget = $budget;
    }

    /**
     * Returns the fleet of the configuration: what runs it has, and what they are told.
     *
     * @throws LogicException there is none
     */
    public function fleet(): Fleet
    {
        return $this->app->make(FleetAccess::class)->fleet();
    }

    /**
     * Makes a token by which a browser starts and follows runs at the gateway, as this user.
     *
     * @param Authenticatable|string $user a user of the application, or a name that is nobody else's
     */
    public function token(Authenticatable|string $user): PendingToken
    {
        $name = $user instanceof Authenticatable ? (string) Party::ownerNamed($user) : $user;

        return new PendingToken($this->app->make(GatewaySettings::class), $this, $name);
    }

    /**
     * Says which token a page gets from the route that gatewayRoutes() adds.
     *
     * @param \Closure(\Illuminate\Http\Request, PendingToken): mixed $gate takes the request and a token for whoever is
     *     signed in, and returns what it has made of that; null or false refuses
     * @param bool $guests whether those get one who are not signed in: as the owner of their browser's session
     */
    public function gatewayTokens(\Closure $gate, bool $guests = false): void
    {
        $this->registry->gatewayTokens = $gate;
        $this->registry->gatewayGuests = $guests;
    }

    /** What to tell a visitor of a run that failed or was stopped, in the language of the application. */
    public function words(ErrorEvent|Aborted|RunFailedException|RunAbortedException $failure): string
    {
        return Words::ofFailure($failure instanceof \Throwable ? $failure->event : $failure);
    }

    public function runner(string $worker = 'chat'): Runner
    {
        $fixed = $this->registry->runner;
        if ($fixed !== null) {
            return $fixed instanceof FakeRunner ? $fixed->as($worker) : $fixed;
        }
        [$process, $isChanged] = $this->process($worker);
        $pool = $this->pool($worker);

        return $pool === null || $this->obstacle($pool, $worker, $isChanged) !== null
            ? $process
            : $pool->runner($process, $this->programOf($worker));
    }

    /**
     * Returns what has the fleet run a worker.
     *
     * @internal
     */
    public function fleetRunner(string $worker, JobOptions $job): Runner
    {
        $fixed = $this->registry->runner;
        if ($fixed !== null) {
            return $fixed instanceof FakeRunner ? $fixed->as($worker, $job) : $fixed;
        }
        $access = $this->app->make(FleetAccess::class);

        return (new FleetRunner($access->fleet(), basename($this->programOf($worker))))
            ->job($job)
            ->endWhenLeft($access->endsWhenLeft())
            ->logger($this->logger());
    }

    /**
     * Returns why a worker is started for each run though there is a pool.
     *
     * @internal
     */
    public function poolObstacle(string $worker): ?string
    {
        $pool = $this->pool($worker);

        return $pool === null ? null : $this->obstacle($pool, $worker, $this->process($worker)[1]);
    }

    public function batchRunner(): BatchRunner
    {
        $fixed = $this->registry->runner;
        if ($fixed !== null) {
            return $fixed instanceof BatchRunner ? $fixed : throw new LogicException(
                $fixed::class . ' runs no batches. Let it implement AgentWorkers\Batch\BatchRunner.',
            );
        }
        $batch = $this->binary('agent-batch');
        $runner = (new ProcessBatchRunner($batch, $this->arguments()))
            ->inheritEnv(...ProcessRunner::INHERITED_ENV, ...$this->setting('inherit', []))
            ->env($this->env() + self::NO_POOL)
            ->logger($this->logger());
        foreach ($this->programs() as $name) {
            $binary = $this->binary($name);
            // Of a worker of its own, agent-batch runs what the engine messages does in its own process, hundreds at
            // once, or has it done in the economy lane.
            $runner = Programs::areAlike($binary, $name, $batch)
                ? $runner
                : $runner->command($name, [$binary, ...$this->arguments()]);
        }

        return $runner;
    }

    public function hasWorker(string $name): bool
    {
        return is_array($this->setting("workers.$name")) || isset(self::LATER[$name]);
    }

    /**
     * @internal
     *
     * @return string name in `binaries`, or an absolute path
     */
    public function programOf(string $worker): string
    {
        return $this->profile($worker)['binary'];
    }

    /**
     * @internal
     *
     * @return string name in the configuration of the worker whose program this is; else the program's
     */
    public function nameOf(string $program): string
    {
        foreach (array_keys($this->setting('workers', []) + self::LATER) as $name) {
            if (basename($this->programOf((string) $name)) === $program) {
                return (string) $name;
            }
        }

        return $program;
    }

    /** Makes this runner run all workers. */
    public function runBy(Runner $runner): void
    {
        $this->registry->runner = $runner;
    }

    /** @param \Closure(ProcessRunner, string): ProcessRunner $configure gets the runner and the name of the worker */
    public function configureRunner(\Closure $configure): void
    {
        $this->registry->configurators[] = $configure;
    }

    /**
     * Adds `POST {prefix}/chat`, which starts a run, and below `{prefix}/runs` what runRoutes() adds.
     *
     * @param list<string> $middleware besides that of the file in which it is called
     */
    public function routes(string $prefix = 'agent', string $worker = 'chat', array $middleware = []): void
    {
        $this->group($prefix, $middleware, static function (Registrar $router) use ($worker): void {
            $router->post('chat', [StreamController::class, 'chat'])->defaults('worker', $worker);
        });
        $this->runRoutes("$prefix/runs", $middleware);
    }

    /**
     * Adds the routes by which the owner of a run reaches it from other requests: `GET {prefix}/{run}/events` follows
     * it, `GET {prefix}/{run}` tells how far it is, `POST {prefix}/{run}/abort` ends it, `POST {prefix}/{run}/steer`
     * says a word to its agent, and permissionRoutes() answers its questions.
     *
     * @param list<string> $middleware besides that of the file in which it is called
     */
    public function runRoutes(string $prefix = 'task', array $middleware = []): void
    {
        $this->group($prefix, $middleware, static function (Registrar $router): void {
            $router->get('{run}', StatusController::class)->where('run', self::ID);
            $router->get('{run}/events', [StreamController::class, 'events'])->where('run', self::ID);
            $router->post('{run}/abort', AbortController::class)->where('run', self::ID);
            $router->post('{run}/steer', SteerController::class)->where('run', self::ID);
        });
        $this->permissionRoutes($prefix, $middleware);
    }

    /**
     * Adds `POST {prefix}/{run}/permissions/{permission}`, where visitors answer what PendingRun::askVisitor() asks,
     * and `POST {prefix}/{run}/answers/{question}`, where they answer what the agent asks.
     *
     * @param list<string> $middleware besides that of the file in which it is called
     */
    public function permissionRoutes(string $prefix = 'task', array $middleware = []): void
    {
        $this->group($prefix, $middleware, static function (Registrar $router): void {
            $router->post('{run}/permissions/{permission}', PermissionController::class)
                ->where(['run' => self::ID, 'permission' => self::ID]);
            $router->post('{run}/answers/{question}', QuestionController::class)
                ->where(['run' => self::ID, 'question' => self::ID]);
        });
    }

    /**
     * Adds routes for recorded conversations, of whom conversationsFor() says: `GET {prefix}` lists them, `POST` begins
     * one, `GET {prefix}/{conversation}` shows what was said, `PATCH` renames it and `DELETE` deletes it.
     *
     * @param string $worker that answers in them: the list has those in which it did
     * @param list<string> $middleware besides that of the file in which it is called
     */
    public function conversationRoutes(
        string $prefix = 'agent/conversations',
        string $worker = 'chat',
        array $middleware = [],
    ): void {
        $this->group($prefix, $middleware, static function (Registrar $router) use ($worker): void {
            $of = static fn (string $method): array => [ConversationController::class, $method];
            $id = ['conversation' => self::CONVERSATION];
            $router->get('', $of('index'))->defaults('worker', $worker);
            $router->post('', $of('store'))->defaults('worker', $worker);
            $router->get('{conversation}', $of('show'))->where($id)->defaults('worker', $worker);
            $router->patch('{conversation}', $of('update'))->where($id);
            $router->delete('{conversation}', $of('destroy'))->where($id);
        });
    }

    /**
     * Adds `POST {prefix}/token`, where a page of the application gets what gatewayTokens() gives it.
     *
     * @param list<string> $middleware besides that of the file in which it is called
     */
    public function gatewayRoutes(string $prefix = 'agent', array $middleware = []): void
    {
        $this->group($prefix, $middleware, static function (Registrar $router): void {
            $router->post('token', TokenController::class);
        });
    }

    /**
     * Adds `POST {prefix}/webhooks`, which takes what the gateway tells of its runs: it records them, if records are
     * switched on, and dispatches WebhookReceived and RunEnded, once for each webhook.
     *
     * @param list<string> $middleware besides that of the file in which it is called
     */
    public function webhooks(string $prefix = 'agent', array $middleware = []): void
    {
        $this->group($prefix, $middleware, static function (Registrar $router): void {
            $router->post('webhooks', WebhookController::class)
                ->withoutMiddleware(array_filter(self::FORMS_ALONE, class_exists(...)));
        });
    }

    /**
     * @param list<string> $middleware
     * @param \Closure(Registrar): mixed $routes
     */
    private function group(string $prefix, array $middleware, \Closure $routes): void
    {
        $attributes = ['prefix' => $prefix, 'middleware' => [AnswersInJson::class, ...$middleware]];
        $this->app->make(Registrar::class)->group($attributes, $routes);
    }

    /** @param string $name in `binaries`, or an absolute path */
    public function binary(string $name): string
    {
        if (str_starts_with($name, '/')) {
            return $name;
        }

        return $this->setting("binaries.$name") ?? $this->sibling($name) ?? throw new InvalidArgumentException(
            "There is no program $name in `binaries` of config/agent-workers.php. Name one, or give its absolute path.",
        );
    }

    /** @return array{ProcessRunner, bool} what runs a worker, and whether the application changes how it is started */
    private function process(string $worker): array
    {
        $usual = (new ProcessRunner($this->binary($this->programOf($worker)), $this->arguments()))
            ->inheritEnv(...ProcessRunner::INHERITED_ENV, ...$this->setting('inherit', []))
            ->env($this->env() + self::NO_POOL)
            ->grace((float) $this->setting('grace', 8.0))
            ->logger($this->logger());
        $runner = $usual;
        foreach ($this->registry->configurators as $configure) {
            $runner = $configure($runner, $worker);
        }

        return [$runner, !$runner->startsLike($usual)];
    }

    private function pool(string $worker): ?Pool
    {
        $socket = $this->setting('pool');
        $name = $this->profile($worker)['pool_name'] ?? $this->setting('pool_name');

        return is_string($socket) && $socket !== ''
            ? new Pool($socket, $name, $this->binary('agent-workers'))
            : null;
    }

    private function obstacle(Pool $pool, string $worker, bool $isChanged): ?string
    {
        $profile = $this->profile($worker);

        return $pool->obstacle($profile, $this->binary($profile['binary']), $this->arguments() !== [], $isChanged);
    }

    /** A configuration that was published before there was this program does not name it. */
    private function sibling(string $name): ?string
    {
        $chat = $this->setting('binaries.agent-chat');

        return in_array($name, self::LATER_PROGRAMS, true) && is_string($chat) ? dirname($chat) . "/$name" : null;
    }

    /** @return array<string, string> variables that workers get besides those that they inherit */
    public function env(): array
    {
        $env = $this->setting('env', []) + [
            'AGENT_WORKERS_STATE_DIR' => $this->setting('state_dir'),
            'AGENT_WORKERS_SKILLS_PATH' => $this->setting('skills_path'),
        ];

        return array_map(strval(...), array_filter($env, static fn (mixed $value): bool => $value !== null));
    }

    /** @return list<string> that run workers */
    private function programs(): array
    {
        $workers = array_keys($this->setting('workers', []) + self::LATER);
        $programs = array_map(fn (string $name): string => $this->profile($name)['binary'], $workers);

        return array_values(array_unique($programs));
    }

    /**
     * @param iterable<array-key, PendingRun|Request> $requests
     *
     * @return \Generator<array-key, Request>
     */
    private function inBatch(iterable $requests, BatchWatch $watch): \Generator
    {
        foreach ($requests as $key => $request) {
            $worker = $request instanceof PendingRun ? $request->worker : null;
            $plain = $worker === null ? $request : $request->inBatch($this->profile($worker)['binary']);
            $plain instanceof Request && $watch->sent($key, $plain, $worker);
            yield $key => $plain;
        }
    }

    private function pending(string $worker, Request $request): PendingRun
    {
        $fields = $this->fields($worker);
        foreach (array_diff_key($fields, ['max_tokens' => true], $request->toArray()) as $field => $value) {
            $request = $request->with($field, $value);
        }

        $isInFleet = ($this->profile($worker)['fleet'] ?? false) === true
            && ($this->registry->runner instanceof FakeRunner || $this->app->make(FleetAccess::class)->isThere());
        $run = new PendingRun($this->app, $this->runner($worker), $request, $worker, $fields['max_tokens'] ?? null);

        return $isInFleet ? $run->onFleet() : $run;
    }

    /** @return array<string, mixed> what a profile sets, by the names of the contract */
    private function fields(string $worker): array
    {
        $profile = $this->profile($worker);
        $isSet = static fn (mixed $value): bool => $value !== null && $value !== [];
        $limits = array_filter($profile['limits'] ?? [], $isSet);
        $known = array_filter(array_intersect_key($profile, self::FIELDS), $isSet);

        return array_filter($known + ['limits' => $limits] + ($profile['request'] ?? []), $isSet);
    }

    /** @return array<string, mixed> */
    private function profile(string $worker): array
    {
        return $this->setting("workers.$worker")
            ?? (isset(self::LATER[$worker]) ? ['binary' => self::LATER[$worker]] : null)
            ?? throw new InvalidArgumentException(sprintf(
                'There is no worker %s in `workers` of config/agent-workers.php, but %s. That list replaces '
                . 'the one of the package: copy from there what you need.',
                $worker,
                implode(', ', array_keys($this->setting('workers', []))) ?: 'nothing',
            ));
    }

    /** @return list<string> */
    private function arguments(): array
    {
        $scenario = $this->setting('simulate', false);

        return match (true) {
            is_string($scenario) && $scenario !== '' => ["--simulate=$scenario"],
            (bool) $scenario => ['--simulate'],
            default => [],
        };
    }

    private function logger(): LoggerInterface
    {
        $channel = $this->setting('log_channel');
        $log = $this->app->make('log');

        return $channel === null ? $log : $log->channel($channel);
    }

    private function setting(string $name, mixed $default = null): mixed
    {
        return $this->config->get("agent-workers.$name", $default);
    }
}
