<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Facades;

use AgentWorkers\Batch\BatchRunner;
use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Fleet\Fleet;
use AgentWorkers\Fleet\Told;
use AgentWorkers\Laravel\AgentDefinition;
use AgentWorkers\Laravel\Agents;
use AgentWorkers\Laravel\Gateway\PendingToken;
use AgentWorkers\Laravel\Http\ChatRequest;
use AgentWorkers\Laravel\PendingBatch;
use AgentWorkers\Laravel\PendingRun;
use AgentWorkers\Laravel\RegisteredTool;
use AgentWorkers\Laravel\Registry;
use AgentWorkers\Request;
use AgentWorkers\Runner;
use AgentWorkers\Testing\FakeRunner;
use AgentWorkers\Testing\Script;
use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Support\Facades\Facade;

// phpcs:disable Generic.Files.LineLength -- a line for each method, as editors read them
/**
 * @method static PendingRun chat(ChatRequest|array|string $prompt)
 * @method static PendingRun task(ChatRequest|array|string $prompt, ?string $cwd = null)
 * @method static PendingRun skill(string $name, \stdClass|array $input)
 * @method static AgentDefinition of(string $class, mixed ...$arguments)
 * @method static PendingBatch batch(iterable $requests, ?int $concurrency = null, ?string $checkpoint = null, ?int $attempts = null, ?float $maxCostUsd = null, ?int $maxErrors = null, ?float $deadlineS = null, ?float $graceS = null)
 * @method static RegisteredTool tool(string $tool, ?string $description = null, \stdClass|array|null $schema = null, ?\Closure $handler = null, ?float $timeoutS = null)
 * @method static void allowCommand(string $tool, \Closure|string|bool $allow, \stdClass|array|null $schema = null)
 * @method static PendingRun worker(string $name, ChatRequest|Request|array|string $prompt)
 * @method static ?string steer(string $run, string $text, Authenticatable|string|null $owner = null)
 * @method static Told abort(string $run)
 * @method static int catchUp()
 * @method static bool forgetRun(string $run)
 * @method static void viewersUsing(\Closure $mayFollow, ?\Closure $mayAnswer = null)
 * @method static void conversationsFor(\Closure $resolver)
 * @method static void budget(\Closure $budget)
 * @method static Fleet fleet()
 * @method static PendingToken token(Authenticatable|string $user)
 * @method static void gatewayTokens(\Closure $gate, bool $guests = false)
 * @method static string words(ErrorEvent|Aborted|RunFailedException|RunAbortedException $failure)
 * @method static Runner runner(string $worker = 'chat')
 * @method static BatchRunner batchRunner()
 * @method static bool hasWorker(string $name)
 * @method static void runBy(Runner $runner)
 * @method static void configureRunner(\Closure $configure)
 * @method static void routes(string $prefix = 'agent', string $worker = 'chat', array $middleware = [])
 * @method static void runRoutes(string $prefix = 'task', array $middleware = [])
 * @method static void permissionRoutes(string $prefix = 'task', array $middleware = [])
 * @method static void conversationRoutes(string $prefix = 'agent/conversations', string $worker = 'chat', array $middleware = [])
 * @method static void gatewayRoutes(string $prefix = 'agent', array $middleware = [])
 * @method static void webhooks(string $prefix = 'agent', array $middleware = [])
 * @method static string binary(string $name)
 * @method static array env()
 * @method static void assertRan(\Closure|string $prompt, ?string $worker = null)
 * @method static void assertNotRan(\Closure|string $prompt, ?string $worker = null)
 * @method static void assertNothingRan(?string $worker = null)
 * @method static void assertRanTimes(int $times, \Closure|string|null $prompt = null, ?string $worker = null)
 * @method static void assertSkillRan(string $skill, ?\Closure $matches = null)
 * @method static void assertSkillNotRan(string $skill, ?\Closure $matches = null)
 * @method static void assertSkillRanTimes(string $skill, int $times)
 * @method static void assertBatchRan(\Closure $matches)
 * @method static void assertOnFleet(\Closure|string|null $matches = null)
 * @method static void assertNotOnFleet(\Closure|string|null $matches = null)
 * @method static void assertSent(\Closure $control)
 * @method static void assertToolAnswered(string $tool, ?string $content = null)
 * @method static void assertToolFailed(string $tool, ?string $message = null)
 * @method static void assertAllowed(string $tool)
 * @method static void assertDenied(string $tool, ?string $message = null)
 * @method static void assertAnswered(string $question, array|string|null $answer = null)
 * @method static void assertSteered(string $text)
 * @method static void assertAborted()
 * @method static void macro(string $name, object|callable $macro)
 * @method static void mixin(object $mixin, bool $replace = true)
 * @method static bool hasMacro(string $name)
 * @method static Agents when(mixed $value, callable $callback, ?callable $default = null)
 * @method static Agents unless(mixed $value, callable $callback, ?callable $default = null)
 * @method static Agents tap(callable $callback)
 *
 * @see Agents
 * @see FakeRunner
 */
// phpcs:enable
final class Agent extends Facade
{
    /**
     * Runs these answers instead of agents, and remembers what it was asked to do. An array with the names of workers
     * as keys has answers for each of them; everything else is as FakeRunner takes it.
     */
    public static function fake(Script|string|array|\Closure ...$answers): FakeRunner
    {
        $answers = array_values($answers);
        $isByWorker = count($answers) === 1 && is_array($answers[0]) && !array_is_list($answers[0]);
        $fake = $isByWorker ? self::byWorker($answers[0]) : new FakeRunner(...$answers);
        self::agents()->runBy($fake);

        return $fake;
    }

    /**
     * What FakeRunner asserts, this facade asserts of the fake that fake() has installed.
     *
     * @param string $method
     * @param array<array-key, mixed> $args
     */
    public static function __callStatic($method, $args): mixed
    {
        return str_starts_with($method, 'assert') && method_exists(FakeRunner::class, $method)
            ? self::faked()->$method(...$args)
            : parent::__callStatic($method, $args);
    }

    protected static function getFacadeAccessor(): string
    {
        return Agents::class;
    }

    /** @param array<array-key, mixed> $answers */
    private static function byWorker(array $answers): FakeRunner
    {
        $fake = new FakeRunner();
        foreach ($answers as $worker => $answer) {
            if (!self::agents()->hasWorker((string) $worker)) {
                throw new InvalidArgumentException(
                    "There is no worker $worker in config/agent-workers.php. To fake an output, pass Script::output().",
                );
            }
            $fake->worker((string) $worker, $answer);
        }

        return $fake;
    }

    private static function faked(): FakeRunner
    {
        $runner = self::$app->make(Registry::class)->runner;

        return $runner instanceof FakeRunner
            ? $runner
            : throw new LogicException('Nothing is faked. Call Agent::fake() before asserting.');
    }

    private static function agents(): Agents
    {
        return self::getFacadeRoot();
    }
}
