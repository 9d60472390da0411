<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel;

use AgentWorkers\PoolRunner;
use AgentWorkers\ProcessRunner;

/**
 * Has the pool of the configuration run what it can run as well: never a worker that is started with something of its
 * own, which the pool knows nothing of.
 *
 * @internal
 */
final class Pool
{
    private const PROGRAMS = ['agent-chat', 'agent-task', 'agent-skill', 'agent-tool'];

    /** @param string $launcher the program agent-workers, which all programs of the package are like */
    public function __construct(
        private readonly string $socket,
        private readonly ?string $name,
        private readonly string $launcher,
    ) {
    }

    /** @param string $program its name */
    public function runner(ProcessRunner $fallback, string $program): PoolRunner
    {
        return $fallback->pooled($this->socket, $program)->name($this->name);
    }

    /**
     * Returns why the pool cannot run a worker; null if it can.
     *
     * @param array<string, mixed> $profile
     * @param bool $isSimulated whether a simulator answers
     * @param bool $isChanged whether the application changes how it is started
     */
    public function obstacle(array $profile, string $binary, bool $isSimulated, bool $isChanged): ?string
    {
        $program = $profile['binary'];

        return match (true) {
            ($profile['pool'] ?? true) === false => '`pool` of the worker is false',
            !in_array($program, self::PROGRAMS, true) => "the pool knows no program $program",
            is_file($binary) && !Programs::areAlike($binary, $program, $this->launcher)
                => "$binary is not as the package has it",
            $isSimulated => '`simulate` is set, which is no setting of a pool',
            $isChanged => 'Agent::configureRunner() changes how it is started',
            default => null,
        };
    }
}
