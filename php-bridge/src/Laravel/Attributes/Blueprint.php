<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Attributes;

use AgentWorkers\Command\Nearest;
use AgentWorkers\Exception\InvalidAgentException;
use AgentWorkers\Laravel\AgentDefinition;
use AgentWorkers\Laravel\Agents;
use AgentWorkers\Laravel\PendingRun;

/**
 * What the attributes of an agent's class say, checked: a mistake is told with the class and the cure, before anything
 * runs.
 *
 * @internal
 */
final class Blueprint
{
    private const OWN = ['Worker', 'Model', 'Engine', 'SystemPrompt', 'Timeout', 'Limits', 'Tools'];
    /** Programs whose requests have no prompt. */
    private const PROMPTLESS = ['agent-skill' => 'Agent::skill()', 'agent-tool' => 'Agent::allowCommand()'];

    private string $class = '';
    /** @var array<class-string, object> */
    private array $attributes = [];

    public function __construct(private readonly Agents $agents, private readonly Toolbox $toolbox)
    {
    }

    /** @param class-string<AgentDefinition> $class */
    public function of(string $class): self
    {
        $read = clone $this;
        $read->class = $class;
        for ($each = new \ReflectionClass($class); $each !== false; $each = $each->getParentClass()) {
            foreach ($each->getAttributes() as $attribute) {
                $made = $read->made($attribute, $each->getNamespaceName());
                // A class before its parents. Its name as it is declared, for #[worker] is the same to PHP.
                $read->attributes += $made === null ? [] : [$made::class => $made];
            }
        }
        $read->checkWorker();

        return $read;
    }

    public function worker(): string
    {
        return $this->attribute(Worker::class)->name ?? 'chat';
    }

    public function apply(PendingRun $run): PendingRun
    {
        foreach ($this->attributes as $attribute) {
            $run = $attribute instanceof AgentAttribute ? $attribute->apply($run) : $run;
        }
        $names = $this->attribute(Tools::class)->names ?? [];
        try {
            return $this->toolbox->give($run, $names, $this->agents->programOf($this->worker()));
        } catch (\InvalidArgumentException $problem) {
            throw new InvalidAgentException($this->class, "#[Tools]: {$problem->getMessage()}", $problem);
        }
    }

    /** @return object|null null for one that is none of this package's business */
    private function made(\ReflectionAttribute $attribute, string $namespace): ?object
    {
        $name = $attribute->getName();
        $short = substr((string) strrchr("\\$name", '\\'), 1);
        if (!class_exists($name)) {
            // One that is not imported is looked for beside the class. Others may be those of a tool that is not here.
            $isMistake = in_array(substr($name, 0, -strlen($short) - 1), [$namespace, __NAMESPACE__], true);

            return $isMistake ? throw new InvalidAgentException($this->class, self::unknown($short)) : null;
        }
        if (!str_starts_with($name, __NAMESPACE__ . '\\') && !is_subclass_of($name, AgentAttribute::class)) {
            return null;
        }
        try {
            return $attribute->newInstance();
        } catch (\Throwable $problem) {
            throw new InvalidAgentException($this->class, "#[$short]: {$problem->getMessage()}.", $problem);
        }
    }

    private static function unknown(string $short): string
    {
        $meant = Nearest::to($short, self::OWN);

        return "there is no attribute #[$short]. " . ($meant === null
            ? 'Those of an agent are ' . implode(', ', self::OWN) . ', in ' . __NAMESPACE__ . '.'
            : 'Import ' . __NAMESPACE__ . "\\$meant, and write #[$meant(…)].");
    }

    private function checkWorker(): void
    {
        $worker = $this->worker();
        if (!$this->agents->hasWorker($worker)) {
            throw new InvalidAgentException(
                $this->class,
                "#[Worker('$worker')]: there is no such entry in `workers` of config/agent-workers.php. Add it, or "
                    . 'name another, such as chat or task.',
            );
        }
        $instead = self::PROMPTLESS[$this->agents->programOf($worker)] ?? null;
        if ($instead !== null) {
            throw new InvalidAgentException(
                $this->class,
                "#[Worker('$worker')]: it takes no prompt. Name another worker, or use $instead.",
            );
        }
    }

    /**
     * @template T of object
     *
     * @param class-string<T> $class
     *
     * @return T|null
     */
    private function attribute(string $class): ?object
    {
        return $this->attributes[$class] ?? null;
    }
}
