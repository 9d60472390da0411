<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Laravel\Agents;
use AgentWorkers\Laravel\Events\Announcer;
use AgentWorkers\Laravel\Records\AgentRun;
use AgentWorkers\Laravel\Records\Facts;
use AgentWorkers\Laravel\Records\Party;
use AgentWorkers\Laravel\Records\Recorder;
use AgentWorkers\Request;
use AgentWorkers\Run;
use Illuminate\Console\Command;
use Symfony\Component\Console\Output\OutputInterface;

final class RunCommand extends Command
{
    use TellsErrors;

    /** @var string */
    protected $signature = 'agent:run
        {worker : The name of a worker in config/agent-workers.php; or alone the id of a recorded run}
        {file? : A request as JSON; - is stdin}';

    /** @var string */
    protected $description = 'Run one request as it is and exit as its worker does, or show a recorded run';

    public function handle(Agents $agents, Announcer $announcer, Recorder $recorder): int
    {
        if ($this->argument('file') === null) {
            return $this->show((string) $this->argument('worker'), $recorder);
        }
        try {
            $request = Request::fromJson($this->read((string) $this->argument('file')));
            $worker = (string) $this->argument('worker');
            $run = $agents->runner($worker)->stream($request);
            $recorder->follow($run, Facts::of($run->request, basename($agents->programOf($worker)), new Party()));
            $announcer->follow($run, $worker);
        } catch (InvalidArgumentException | \InvalidArgumentException $error) {
            return $this->refuse($error->getMessage());
        }

        return Interruption::aborts($run, fn (): int => $this->follow($run));
    }

    private function show(string $id, Recorder $recorder): int
    {
        $found = $recorder->isOn() ? AgentRun::query()->find($id) : null;
        foreach ($found === null ? [] : Timeline::of($found) as $line) {
            $this->output->writeln($line, OutputInterface::OUTPUT_RAW);
        }

        return $found === null
            ? $this->refuse("No run $id is recorded. To run a request, name the worker and the request's file.")
            : self::SUCCESS;
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
