<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Attributes;

use AgentWorkers\AppTool;
use AgentWorkers\Command\Nearest;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Laravel\PendingRun;
use AgentWorkers\Laravel\Registry;
use Illuminate\Contracts\Container\Container;

/**
 * Gives a run the tools that an attribute names, of the application and of the agent itself.
 *
 * @internal
 */
final class Toolbox
{
    private const ASK = 'AskUserQuestion';
    /** Those of agent-task. A name that is near to none of them may be of a newer one: the worker knows. */
    public const BUILT_IN = [
        'Agent', self::ASK, 'Bash', 'Edit', 'Glob', 'Grep', 'NotebookEdit', 'Read', 'WebFetch', 'WebSearch', 'Write',
    ];

    public function __construct(private readonly Registry $registry, private readonly Container $app)
    {
    }

    /**
     * @param list<string> $names
     * @param string $program that will run it
     *
     * @throws InvalidArgumentException there is no such tool, or the program has none such
     */
    public function give(PendingRun $run, array $names, string $program): PendingRun
    {
        $registered = $this->registry->names($this->app);
        $isOwn = static fn (string $name): bool => self::isClass($name) || in_array($name, $registered, true);
        $builtIn = array_values(array_filter($names, static fn (string $name): bool => !$isOwn($name)));
        array_map(static fn (string $name) => self::checkBuiltIn($name, $registered, $program), $builtIn);
        $builtIn === [] || $run->tools($builtIn);

        return $run->appTools(...array_values(array_filter($names, $isOwn)));
    }

    private static function isClass(string $name): bool
    {
        if (is_subclass_of($name, AppTool::class)) {
            return true;
        }
        if (!str_contains($name, '\\')) {
            return false;
        }
        $problem = class_exists($name)
            ? "$name is no tool, for it does not implement " . AppTool::class
            : "there is no class $name";
        $short = substr((string) strrchr($name, '\\'), 1);

        throw new InvalidArgumentException("$problem. `php artisan make:agent-tool $short` writes a tool.");
    }

    /** @param list<string> $registered */
    private static function checkBuiltIn(string $name, array $registered, string $program): void
    {
        $isMcp = str_starts_with($name, 'mcp__');
        if (!$isMcp && !in_array($name, self::BUILT_IN, true)) {
            $nearest = Nearest::to($name, [...$registered, ...self::BUILT_IN]);
            $mayBeNew = $nearest === null && preg_match('/^[A-Z][A-Za-z]+$/', $name) === 1;
            $mayBeNew || throw new InvalidArgumentException("there is no tool $name. " . ($nearest === null
                ? 'Register it with Agent::tool() in a service provider, or name a class.'
                : "Did you mean $nearest?"));
        }
        if ($program === 'agent-chat' && $name !== self::ASK) {
            throw new InvalidArgumentException(
                "agent-chat has no tool $name. Write #[Worker('task')], or name tools of the application only.",
            );
        }
    }
}
