<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Facades;

use AgentWorkers\Laravel\Agents;
use AgentWorkers\Laravel\Http\ChatRequest;
use AgentWorkers\Laravel\PendingRun;
use AgentWorkers\Runner;
use AgentWorkers\Testing\FakeRunner;
use AgentWorkers\Testing\Script;
use Illuminate\Support\Facades\Facade;

/**
 * @method static PendingRun chat(string|array|ChatRequest $prompt)
 * @method static PendingRun task(string|array|ChatRequest $prompt, ?string $cwd = null)
 * @method static PendingRun worker(string $name, string|array|ChatRequest $prompt)
 * @method static Runner runner(string $worker = 'chat')
 * @method static void routes(string $prefix = "agent", string $worker = "chat", array $middleware = [])
 * @method static void permissionRoutes(string $prefix = "task", array $middleware = [])
 * @method static void tool(string $tool, string $description = null, array $schema = null, \Closure $handler = null)
 * @method static void configureRunner(\Closure $configure)
 *
 * @see Agents
 */
final class Agent extends Facade
{
    /** Runs these scripts instead of agents, and remembers what it was asked to do. */
    public static function fake(Script|string ...$scripts): FakeRunner
    {
        $fake = new FakeRunner(...$scripts);
        self::agents()->runBy($fake);

        return $fake;
    }

    protected static function getFacadeAccessor(): string
    {
        return Agents::class;
    }

    private static function agents(): Agents
    {
        return self::getFacadeRoot();
    }
}
