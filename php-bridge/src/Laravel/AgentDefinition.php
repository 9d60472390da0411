<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel;

use AgentWorkers\Exception\InvalidAgentException;
use AgentWorkers\Laravel\Attributes\Blueprint;
use AgentWorkers\Laravel\Http\ChatRequest;
use Illuminate\Container\Container;

/**
 * An agent of the application: its attributes say what runs it, instructions() what it is told. The container makes it,
 * with what its constructor asks for. `php artisan make:agent` writes one.
 */
abstract class AgentDefinition
{
    /**
     * Makes the agent, as Agent::of() does.
     *
     * @param mixed ...$arguments for its constructor, in order or by name; the container makes the others
     */
    final public static function make(mixed ...$arguments): static
    {
        $parameters = (new \ReflectionClass(static::class))->getConstructor()?->getParameters() ?? [];
        $named = [];
        foreach ($arguments as $place => $argument) {
            $name = is_int($place) ? ($parameters[$place] ?? null)?->getName() : $place;
            $named[$name ?? throw new InvalidAgentException(
                static::class,
                'make() gets more arguments than the constructor takes. Add a parameter, or leave them out.',
            )] = $argument;
        }

        return Container::getInstance()->make(static::class, $named);
    }

    /** What the agent is told before the prompt; null leaves that to #[SystemPrompt] or the configuration. */
    public function instructions(): ?string
    {
        return null;
    }

    /**
     * Returns a run of this agent that has not begun, as Agent::chat() does.
     *
     * @param string|list<array<string, mixed>>|ChatRequest $prompt text, content blocks, or what the browser sent
     *
     * @throws InvalidAgentException the class is wrong
     */
    final public function prompt(string|array|ChatRequest $prompt): PendingRun
    {
        $agents = Container::getInstance()->make(Agents::class);
        $blueprint = Container::getInstance()->make(Blueprint::class)->of(static::class);
        $run = $blueprint->apply($agents->worker($blueprint->worker(), $prompt));
        $instructions = $this->instructions();

        return $this->configure($instructions === null ? $run : $run->systemPrompt($instructions));
    }

    /** Changes each run of this agent: for what no attribute says, such as the directory of a task. */
    protected function configure(PendingRun $run): PendingRun
    {
        return $run;
    }
}
