<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel;

use AgentWorkers\AppTool;
use AgentWorkers\ProcessRunner;
use AgentWorkers\Request;
use AgentWorkers\Runner;
use Closure;
use Illuminate\Contracts\Container\Container;
use InvalidArgumentException;

/**
 * What service providers register once, for all requests and jobs of this process.
 *
 * @internal
 */
final class Registry
{
    /**
     * Runs all workers instead of their programs. It is kept here, not in a scoped object, so that a fake also counts
     * in queued jobs.
     */
    public ?Runner $runner = null;
    /** @var list<Closure(ProcessRunner, string): ProcessRunner> */
    public array $configurators = [];
    /** @var array<string, CommandRule> what people may run, by `tool`, `server.tool` or `server.*` */
    public array $commands = [];
    /** @var (Closure(mixed, string): mixed)|null takes a user and a run: whether the user may follow the run */
    public ?Closure $mayFollow = null;
    /** @var (Closure(mixed, string): mixed)|null whether the user may stop and answer it, too */
    public ?Closure $mayAnswer = null;
    /** @var (Closure(\Illuminate\Http\Request): mixed)|null whose conversations a request may see */
    public ?Closure $conversationsFor = null;
    /** @var (Closure(?string, ?string): mixed)|null takes a user's id and a tenant: what they may spend in a day */
    public ?Closure $budget = null;
    /** @var (Closure(\Illuminate\Http\Request, Gateway\PendingToken): mixed)|null which token a page gets */
    public ?Closure $gatewayTokens = null;
    public bool $gatewayGuests = false;
    /** @var array<string, array{string, array<string, mixed>|\stdClass, Closure, ?float}> by name */
    private array $closures = [];
    /** @var array<class-string<AppTool>, ?float> timeouts */
    private array $classes = [];
    /** @var array<string, true> names or classes of tools that take effect once */
    private array $once = [];

    /** @param array<string, mixed>|\stdClass $schema */
    public function addTool(string $name, string $description, array|\stdClass $schema, Closure $run, ?float $s): void
    {
        $this->closures[$name] = [$description, $schema, $run, $s];
    }

    /** @param class-string<AppTool> $class */
    public function addToolClass(string $class, ?float $timeoutS): void
    {
        $this->classes[$class] = $timeoutS;
    }

    public function runOnce(string $tool): void
    {
        $this->once[$tool] = true;
    }

    public function isOnce(string $tool, Container $app): bool
    {
        return isset($this->once[isset($this->closures[$tool]) ? $tool : $this->classOf($tool, $app)]);
    }

    /**
     * Returns the request with these tools and their handlers.
     *
     * @param list<string> $tools names, or classes
     */
    public function offer(Request $request, array $tools, Container $app): Request
    {
        foreach (array_unique($tools) as $tool) {
            [$name, $description, $schema, $run, $timeoutS] = $this->tool($tool, $app);
            $request = $request->appTool($name, $description, $schema, $run, $timeoutS);
        }

        return $request;
    }

    /**
     * Returns the handlers of those tools of a request that are registered, by their names.
     *
     * @return array<string, Closure>
     */
    public function handlers(Request $request, Container $app): array
    {
        $tools = array_map(static fn (mixed $tool): array => (array) $tool, (array) $request->get('app_tools'));
        $wanted = array_column($tools, 'name');
        $known = array_values(array_intersect($this->names($app), $wanted));

        return array_combine($known, array_map(fn (string $name): Closure => $this->handler($name, $app)[0], $known));
    }

    /** @return list<string> of the tools */
    public function names(Container $app): array
    {
        $nameOf = static fn (string $class): string => $app->make($class)->name();

        return [
            ...array_map(strval(...), array_keys($this->closures)),
            ...array_map($nameOf, array_keys($this->classes)),
        ];
    }

    /** @return array<string, mixed>|\stdClass JSON Schema of the tool's input */
    public function schema(string $tool, Container $app): array|\stdClass
    {
        return $this->tool($tool, $app)[2];
    }

    /** @return array{Closure, ?float} the tool's handler, and its timeout */
    public function handler(string $tool, Container $app): array
    {
        [, , , $handler, $timeoutS] = $this->tool($tool, $app);

        return [$handler, $timeoutS];
    }

    /**
     * @param string $tool name, or class
     *
     * @return array{string, string, array<string, mixed>|\stdClass, Closure, ?float} name, description, schema,
     *                                                                                handler, timeout
     */
    private function tool(string $tool, Container $app): array
    {
        if (isset($this->closures[$tool])) {
            [$description, $schema, $closure, $timeoutS] = $this->closures[$tool];
            $handler = new ToolHandler($app, $closure, isset($this->once[$tool]));

            return [$tool, $description, $schema, $handler->closure(), $timeoutS];
        }
        $class = $this->classOf($tool, $app);
        $made = $app->make($class);
        $handler = new ToolHandler($app, $class, isset($this->once[$class]));
        $timeoutS = $this->classes[$class] ?? null;

        return [$made->name(), $made->description(), $made->schema(), $handler->closure(), $timeoutS];
    }

    /** @return class-string<AppTool> */
    private function classOf(string $tool, Container $app): string
    {
        if (is_subclass_of($tool, AppTool::class)) {
            return $tool;
        }
        foreach (array_keys($this->classes) as $class) {
            if ($app->make($class)->name() === $tool) {
                return $class;
            }
        }
        throw new InvalidArgumentException(
            "There is no tool $tool. Register it with Agent::tool() in a service provider.",
        );
    }
}
