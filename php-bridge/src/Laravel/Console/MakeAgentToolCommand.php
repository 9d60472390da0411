<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

use Illuminate\Console\Concerns\CreatesMatchingTest;
use Illuminate\Console\GeneratorCommand;
use Symfony\Component\Console\Input\InputOption;

final class MakeAgentToolCommand extends GeneratorCommand
{
    use ChecksNames;
    use CreatesMatchingTest;
    use FindsStubs;

    /** Of a tool's name: see AppTool::name(). */
    private const LONGEST = 64;

    /** @var string */
    protected $name = 'make:agent-tool';

    /** @var string */
    protected $description = 'Create a new class for a tool that agents can call';

    /** @var string */
    protected $type = 'Agent tool';

    /** @return bool|int|null */
    public function handle()
    {
        if (($problem = $this->nameProblem()) !== null) {
            $this->error($problem);

            return self::INVALID;
        }

        return parent::handle();
    }

    protected function getStub(): string
    {
        return $this->stub('agent-tool.stub');
    }

    /** @param string $rootNamespace */
    protected function getDefaultNamespace($rootNamespace): string
    {
        return "$rootNamespace\\Tools";
    }

    /** @param string $name */
    protected function buildClass($name): string
    {
        $tool = substr(self::toolName(class_basename($name)), 0, self::LONGEST);

        return str_replace('{{ name }}', $tool, parent::buildClass($name));
    }

    /** @return list<array{string, string|null, int, string}> */
    protected function getOptions(): array
    {
        return [['force', 'f', InputOption::VALUE_NONE, 'Create the class even if the tool already exists']];
    }
}
