<?php

declare(strict_types=1);

namespace AgentWorkers;

use AgentWorkers\Event\Done;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Process\Environment;
use AgentWorkers\Process\ProcessTransport;
use AgentWorkers\Process\WorkerProcess;
use Psr\Log\LoggerInterface;
use Psr\Log\NullLogger;
use Symfony\Component\Process\Process;

/** Runs each request in a worker process of its own. Immutable: each setting returns a changed copy. */
final class ProcessRunner implements Runner
{
    /** Names of the environment that a worker sees unless inheritEnv() says otherwise. */
    public const INHERITED_ENV = Environment::INHERITED;

    /** @var list<string> */
    private array $command;
    /** @var list<string> */
    private array $inherited = self::INHERITED_ENV;
    /** @var array<string, string|false> */
    private array $env = [];
    private ?string $cwd = null;
    private float $grace = 8.0;
    private float $overtime = 30.0;
    private LoggerInterface $logger;
    /** @var \Closure(Process): void */
    private \Closure $configure;

    /**
     * @param string $binary absolute path of the worker, such as /opt/agents/bin/agent-chat: php-fpm has no PATH
     * @param list<string> $arguments
     */
    public function __construct(string $binary, array $arguments = [])
    {
        if (!str_starts_with($binary, '/')) {
            throw new InvalidArgumentException(sprintf(
                'The path of the worker must be absolute, such as /opt/agents/bin/agent-chat; "%s" is not.',
                $binary,
            ));
        }
        $this->command = [$binary, ...$arguments];
        $this->logger = new NullLogger();
        $this->configure = static function (): void {
        };
    }

    /**
     * Sets variables of the worker's environment; false removes one.
     *
     * @param array<string, string|false> $values
     */
    public function env(array $values): self
    {
        return $this->with(static fn (self $runner) => $runner->env = $values + $runner->env);
    }

    /** Replaces the list of inherited names; `*` stands for any characters. Without an argument nothing is inherited. */
    public function inheritEnv(string ...$patterns): self
    {
        return $this->with(static fn (self $runner) => $runner->inherited = array_values($patterns));
    }

    public function cwd(string $directory): self
    {
        return $this->with(static fn (self $runner) => $runner->cwd = $directory);
    }

    /** Logs the worker's stderr and faults in its output. */
    public function logger(LoggerInterface $logger): self
    {
        return $this->with(static fn (self $runner) => $runner->logger = $logger);
    }

    /** Seconds between SIGTERM and SIGKILL. The worker itself takes up to five to stop its agent. */
    public function grace(float $seconds): self
    {
        return $this->with(static fn (self $runner) => $runner->grace = $seconds);
    }

    /** Seconds after the request's `limits.timeout_s` at which a worker that still runs is stopped. */
    public function overtime(float $seconds): self
    {
        return $this->with(static fn (self $runner) => $runner->overtime = $seconds);
    }

    /** @param \Closure(Process): void $configure sees each process before it starts */
    public function configureProcess(\Closure $configure): self
    {
        return $this->with(static fn (self $runner) => $runner->configure = $configure);
    }

    public function run(Request $request): Done
    {
        return $this->stream($request)->wait();
    }

    public function stream(Request $request): Run
    {
        $process = new WorkerProcess([...$this->command, '--control'], $this->cwd, $this->grace);
        ($this->configure)($process);
        $environment = new Environment($this->inherited, $this->env);
        $transport = new ProcessTransport($process, $environment, $this->command[0], $this->grace);

        return new Run($request, $transport, $this->logger, $this->overtime);
    }

    /**
     * Returns a process, not started, in which the worker checks its host with the environment of its runs.
     *
     * @internal
     *
     * @param list<string> $prefix words before the command, such as those that change the user
     * @param array<string, string|false> $defaults variables that env() does not set
     */
    public function examination(array $prefix = [], array $defaults = []): Process
    {
        $process = new Process([...$prefix, ...$this->command, '--doctor=json'], $this->cwd ?? '/');
        ($this->configure)($process);
        $environment = new Environment($this->inherited, $this->env + $defaults);

        return $process->setEnv($environment->forProcess() + $process->getEnv());
    }

    /** @return string the program, as it was configured */
    public function binary(): string
    {
        return $this->command[0];
    }

    /** @param \Closure(self): mixed $change */
    private function with(\Closure $change): self
    {
        $copy = clone $this;
        $change($copy);

        return $copy;
    }
}
