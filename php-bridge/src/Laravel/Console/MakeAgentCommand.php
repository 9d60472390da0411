<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

use AgentWorkers\Laravel\Agents;
use Illuminate\Console\Concerns\CreatesMatchingTest;
use Illuminate\Console\GeneratorCommand;
use Symfony\Component\Console\Input\InputOption;

final class MakeAgentCommand extends GeneratorCommand
{
    use ChecksNames;
    use CreatesMatchingTest;
    use FindsStubs;

    /** @var string */
    protected $name = 'make:agent';

    /** @var string */
    protected $description = 'Create a new agent class';

    /** @var string */
    protected $type = 'Agent';

    /** @return bool|int|null */
    public function handle()
    {
        $worker = (string) $this->option('worker');
        if (!$this->laravel->make(Agents::class)->hasWorker($worker)) {
            $this->error("There is no worker $worker in config/agent-workers.php. Name one with --worker.");

            return self::INVALID;
        }
        if (($problem = $this->nameProblem()) !== null) {
            $this->error($problem);

            return self::INVALID;
        }

        return parent::handle();
    }

    protected function getStub(): string
    {
        return $this->stub('agent.stub');
    }

    /** @param string $rootNamespace */
    protected function getDefaultNamespace($rootNamespace): string
    {
        return "$rootNamespace\\Agents";
    }

    /** @param string $name */
    protected function buildClass($name): string
    {
        return str_replace('{{ worker }}', (string) $this->option('worker'), parent::buildClass($name));
    }

    /** @return list<array{string, string|null, int, string, 4?: string}> */
    protected function getOptions(): array
    {
        return [
            ['force', 'f', InputOption::VALUE_NONE, 'Create the class even if the agent already exists'],
            ['worker', null, InputOption::VALUE_REQUIRED, 'The name of a worker in config/agent-workers.php', 'chat'],
        ];
    }
}
