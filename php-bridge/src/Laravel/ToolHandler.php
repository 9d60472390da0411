<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel;

use AgentWorkers\AppTool;
use AgentWorkers\Event\AppToolCall;
use AgentWorkers\Exception\ToolException;
use AgentWorkers\Progress;
use AgentWorkers\Run\AppTools;
use AgentWorkers\Run\Returned;
use AgentWorkers\Run\ToolSteps;
use Closure;
use Illuminate\Contracts\Container\Container;
use Illuminate\Contracts\Debug\ExceptionHandler;

/**
 * A registered tool as the handler of a run.
 *
 * @internal
 */
final class ToolHandler
{
    private const MOST_PRINTED = 1 << 20;

    /** @param Closure|class-string<AppTool> $tool */
    public function __construct(
        private readonly Container $app,
        private readonly Closure|string $tool,
        private readonly bool $isOnce,
    ) {
    }

    public function closure(): Closure
    {
        return function (array $input, AppToolCall $call): \Generator {
            try {
                $result = $this->isOnce ? yield from $this->once($call) : yield from $this->steps($call);
            } catch (ToolException $told) {
                throw $told;
            } catch (\Throwable $error) {
                throw $this->reported($error);
            }

            return new Returned($result);
        };
    }

    /**
     * Prints when the transaction is over: while it were open, the rest of this process would write within it.
     *
     * @return \Generator<int, string, mixed, mixed>
     */
    private function once(AppToolCall $call): \Generator
    {
        $printed = '';
        $whole = function () use ($call, &$printed): mixed {
            $steps = $this->steps($call);
            foreach ($steps as $piece) {
                $printed .= strlen($printed) < self::MOST_PRINTED ? $piece : '';
            }

            return $steps->getReturn();
        };
        $result = $this->app->make(Effects::class)->once($call, $whole);
        if ($printed !== '') {
            yield $printed;
        }

        return $result;
    }

    /** @return \Generator<int, string, mixed, mixed> */
    private function steps(AppToolCall $call): \Generator
    {
        $tool = $this->tool instanceof Closure ? $this->tool : $this->app->make($this->tool)->handle(...);
        $parameters = new \ReflectionFunction($tool);
        $run = fn (AppToolCall $call, ?Progress $progress): mixed => $this->tool instanceof Closure
            ? $this->app->call($tool, self::arguments($parameters, $call, $progress))
            : $tool($call->input, ...ToolSteps::extras($parameters, $call, $progress));

        return ToolSteps::of(
            ToolSteps::takesProgress($parameters)
                ? static fn (array $input, AppToolCall $call, Progress $progress): mixed => $run($call, $progress)
                : static fn (array $input, AppToolCall $call): mixed => $run($call, null),
            $call,
        );
    }

    /**
     * The first parameter gets the input. The container injects what is not named here.
     *
     * @return array<string, mixed>
     */
    private static function arguments(\ReflectionFunction $tool, AppToolCall $call, ?Progress $progress): array
    {
        $parameters = $tool->getParameters();
        $input = $parameters === [] ? [] : [$parameters[0]->getName() => $call->input];

        return $input + ToolSteps::extras($tool, $call, $progress);
    }

    /** Reports exceptions as the application reports any others; those that it does not report go to the run's log. */
    private function reported(\Throwable $error): \Throwable
    {
        $handler = $this->app->make(ExceptionHandler::class);
        if (!$handler->shouldReport($error)) {
            return $error;
        }
        $handler->report($error);

        return new ToolException(AppTools::FAILED);
    }
}
