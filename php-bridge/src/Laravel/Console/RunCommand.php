<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Laravel\Agents;
use AgentWorkers\Laravel\Events\Announcer;
use AgentWorkers\Request;
use AgentWorkers\Run;
use Illuminate\Console\Command;
use Symfony\Component\Console\Output\OutputInterface;

final class RunCommand extends Command
{
    use TellsErrors;

    /** @var string */
    protected $signature = 'agent:run
        {worker : The name of a worker in config/agent-workers.php}
        {file : A request as JSON; - is stdin}';

    /** @var string */
    protected $description = 'Run one request as it is; write its events as lines and exit as the worker does';

    public function handle(Agents $agents, Announcer $announcer): int
    {
        try {
            $request = Request::fromJson($this->read((string) $this->argument('file')));
            $worker = (string) $this->argument('worker');
            $run = $announcer->follow($agents->runner($worker)->stream($request), $worker);
        } catch (InvalidArgumentException | \InvalidArgumentException $error) {
            return $this->refuse($error->getMessage());
        }

        return Interruption::aborts($run, fn (): int => $this->follow($run));
    }

    private function follow(Run $run): int
    {
        $event = null;
        foreach ($run as $event) {
            $this->output->write($event->toJson() . "\n", false, OutputInterface::OUTPUT_RAW);
        }

        return ExitCode::of($run, $event);
    }
}
