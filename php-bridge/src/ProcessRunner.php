<?php

declare(strict_types=1);

namespace AgentWorkers;

use AgentWorkers\Event\Done;
use AgentWorkers\Process\Credential;
use AgentWorkers\Process\Environment;
use AgentWorkers\Process\ProcessTransport;
use AgentWorkers\Process\Settings;
use AgentWorkers\Process\Transport;
use AgentWorkers\Process\WorkerProcess;
use Symfony\Component\Process\Process;

/** Runs each request in a worker process of its own. Immutable: each setting returns a changed copy. */
final class ProcessRunner implements Runner
{
    use Settings;

    /** Names of the environment that a worker sees unless inheritEnv() says otherwise. */
    public const INHERITED_ENV = Environment::INHERITED;

    private float $overtime = 30.0;

    /**
     * @param string $binary absolute path of the worker, such as /opt/agents/bin/agent-chat: php-fpm has no PATH
     * @param list<string> $arguments
     */
    public function __construct(string $binary, array $arguments = [])
    {
        $this->runs($binary, $arguments, 8.0);
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

    public function run(Request $request): Done
    {
        return $this->stream($request)->wait();
    }

    public function stream(Request $request): Run
    {
        $transport = $this->transport($request->ownCredential());

        return new Run($request->withoutCredential(), $transport, $this->logger, $this->overtime);
    }

    /** @internal */
    public function transport(#[\SensitiveParameter] ?string $credential = null): Transport
    {
        $words = ['--control', ...($credential === null ? [] : ['--credential-fd=0'])];
        $process = new WorkerProcess([...$this->command, ...$words], $this->cwd, $this->grace);
        ($this->configure)($process);
        $environment = new Environment($this->inherited, $this->env);
        $own = new Credential($credential);

        return new ProcessTransport($process, $environment, $this->command[0], $this->grace, credential: $own);
    }

    /**
     * Returns what has a pool run the same, and else this.
     *
     * @internal
     */
    public function pooled(string $socket, string $worker): PoolRunner
    {
        $runner = new PoolRunner($socket, $worker, $this);

        return $runner->grace($this->grace)->overtime($this->overtime)->logger($this->logger);
    }

    /**
     * Whether both start the same program with the same arguments, directory and environment.
     *
     * @internal
     */
    public function startsLike(self $other): bool
    {
        $means = static fn (self $runner): array
            => [$runner->command, $runner->inherited, $runner->env, $runner->cwd, $runner->configure];
        [$own, $others] = [$means($this), $means($other)];

        return $own === $others;
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
        return $this->aside([...$prefix, ...$this->command, '--doctor=json'], $this->cwd ?? '/', $defaults);
    }

    /**
     * Returns a process, not started, of the worker's program with these words, in the environment of its runs.
     *
     * @internal
     *
     * @param list<string> $words
     */
    public function program(array $words): Process
    {
        return $this->aside([$this->binary(), ...$words], $this->cwd);
    }

    /**
     * @param list<string> $command
     * @param array<string, string|false> $defaults
     */
    private function aside(array $command, ?string $cwd, array $defaults = []): Process
    {
        $process = new Process($command, $cwd);
        ($this->configure)($process);
        $environment = new Environment($this->inherited, $this->env + $defaults);

        return $process->setEnv($environment->forProcess() + $process->getEnv());
    }
}
