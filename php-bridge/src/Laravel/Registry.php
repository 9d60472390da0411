<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel;

use AgentWorkers\AppTool;
use AgentWorkers\Exception\ToolException;
use AgentWorkers\ProcessRunner;
use AgentWorkers\Request;
use AgentWorkers\Run\AppTools;
use AgentWorkers\Runner;
use Closure;
use Illuminate\Contracts\Container\Container;
use Illuminate\Contracts\Debug\ExceptionHandler;
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
    /** @var array<string, array{string, array<string, mixed>|\stdClass, Closure, ?float}> by name */
    private array $closures = [];
    /** @var array<class-string<AppTool>, ?float> timeouts */
    private array $classes = [];

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

    /**
     * Returns the request with these tools and their handlers.
     *
     * @param list<string> $tools names, or classes
     */
    public function offer(Request $request, array $tools, Container $app): Request
    {
        foreach (array_unique($tools) as $name) {
            if (isset($this->closures[$name])) {
                [$description, $schema, $closure, $timeoutS] = $this->closures[$name];
                $run = static fn (array $input): mixed => $app->call($closure, self::first($closure, $input));
            } else {
                $class = $this->classOf($name, $app);
                $tool = $app->make($class);
                $timeoutS = $this->classes[$class] ?? null;
                [$name, $description, $schema] = [$tool->name(), $tool->description(), $tool->schema()];
                $run = static fn (array $input): mixed => $app->make($class)->handle($input);
            }
            $request = $request->appTool($name, $description, $schema, self::reporting($run, $app), $timeoutS);
        }

        return $request;
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

    /**
     * Gives the input to the first parameter. The container injects the others.
     *
     * @param array<string, mixed> $input
     *
     * @return array<string, mixed>
     */
    private static function first(Closure $closure, array $input): array
    {
        $parameters = (new \ReflectionFunction($closure))->getParameters();

        return $parameters === [] ? [] : [$parameters[0]->getName() => $input];
    }

    /** Reports exceptions as the application reports any others; those that it does not report go to the run's log. */
    private static function reporting(Closure $run, Container $app): Closure
    {
        return static function (array $input) use ($run, $app): mixed {
            try {
                return $run($input);
            } catch (ToolException $told) {
                throw $told;
            } catch (\Throwable $error) {
                $handler = $app->make(ExceptionHandler::class);
                if (!$handler->shouldReport($error)) {
                    throw $error;
                }
                $handler->report($error);
                throw new ToolException(AppTools::FAILED);
            }
        };
    }
}
