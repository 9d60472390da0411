<?php

declare(strict_types=1);

namespace AgentWorkers\Process;

use AgentWorkers\Exception\InvalidArgumentException;
use Psr\Log\LoggerInterface;
use Psr\Log\NullLogger;
use Symfony\Component\Process\Process;

/**
 * How a program is started. For immutable classes: each setting returns a changed copy.
 *
 * @internal
 */
trait Settings
{
    /** @var list<string> */
    private array $command;
    /** @var list<string> */
    private array $inherited = Environment::INHERITED;
    /** @var array<string, string|false> */
    private array $env = [];
    private ?string $cwd = null;
    private float $grace;
    private LoggerInterface $logger;
    /** @var \Closure(Process): void */
    private \Closure $configure;

    /**
     * Sets variables of the program's environment; false removes one.
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

    /** Logs the program's stderr and faults in its output. */
    public function logger(LoggerInterface $logger): self
    {
        return $this->with(static fn (self $runner) => $runner->logger = $logger);
    }

    /** @param \Closure(Process): void $configure sees each process before it starts */
    public function configureProcess(\Closure $configure): self
    {
        return $this->with(static fn (self $runner) => $runner->configure = $configure);
    }

    /** @return string the program, as it was configured */
    public function binary(): string
    {
        return $this->command[0];
    }

    /** @param list<string> $arguments */
    private function runs(string $binary, array $arguments, float $grace): void
    {
        if (!str_starts_with($binary, '/')) {
            throw new InvalidArgumentException(sprintf(
                'The path of the worker must be absolute, such as /opt/agents/bin/agent-chat; "%s" is not.',
                $binary,
            ));
        }
        $this->command = [$binary, ...$arguments];
        $this->grace = $grace;
        $this->logger = new NullLogger();
        $this->configure = static function (): void {
        };
    }

    /** @param \Closure(self): mixed $change */
    private function with(\Closure $change): self
    {
        $copy = clone $this;
        $change($copy);

        return $copy;
    }
}
