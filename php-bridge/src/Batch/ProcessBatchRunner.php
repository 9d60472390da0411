<?php

declare(strict_types=1);

namespace AgentWorkers\Batch;

use AgentWorkers\Process\Environment;
use AgentWorkers\Process\ProcessTransport;
use AgentWorkers\Process\Settings;
use AgentWorkers\Process\WorkerProcess;

/** Runs each batch in one process of agent-batch. Immutable: each setting returns a changed copy. */
final class ProcessBatchRunner implements BatchRunner
{
    use Settings;

    private string $worker = 'agent-chat';
    /** @var array<string, list<string>> */
    private array $workers = [];

    /**
     * @param string $binary absolute path of agent-batch: php-fpm has no PATH
     * @param list<string> $arguments
     */
    public function __construct(string $binary, array $arguments = [])
    {
        $this->runs($binary, $arguments, 12.0);
    }

    /** Sets who runs the requests that name neither a worker nor a skill; agent-chat does by default. */
    public function worker(string $name): self
    {
        return $this->with(static fn (self $runner) => $runner->worker = $name);
    }

    /**
     * Sets the program of a worker; without that, it is the one beside agent-batch.
     *
     * @param list<string> $command
     */
    public function command(string $worker, array $command): self
    {
        return $this->with(static fn (self $runner) => $runner->workers[$worker] = $command);
    }

    /** Seconds between the signal that has it abort its runs and SIGKILL. The runs themselves take up to eight. */
    public function grace(float $seconds): self
    {
        return $this->with(static fn (self $runner) => $runner->grace = $seconds);
    }

    public function batch(iterable $requests, BatchOptions $options = new BatchOptions()): Batch
    {
        $command = [...$this->command, '--results', '--summary=json', "--worker=$this->worker"];
        foreach ($this->workers as $name => $words) {
            $command[] = "--command=$name=" . implode(' ', array_map('escapeshellarg', $words));
        }
        $process = new WorkerProcess([...$command, ...$options->arguments()], $this->cwd, $this->grace, drains: true);
        ($this->configure)($process);
        $environment = new Environment($this->inherited, $this->env);
        $drain = $options->graceS ?? BatchOptions::GRACE_S;
        $transport = new ProcessTransport($process, $environment, $this->command[0], $this->grace, $drain);

        return new Batch(new ProcessBatch(new Lines($requests), $transport, $options, $this->logger));
    }
}
