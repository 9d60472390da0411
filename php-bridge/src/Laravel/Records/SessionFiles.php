<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use AgentWorkers\Laravel\Agents;
use AgentWorkers\Process\Environment;
use Illuminate\Contracts\Config\Repository;
use Illuminate\Contracts\Container\Container;
use Psr\Log\LoggerInterface;
use Symfony\Component\Process\Process;

/**
 * The files in which agents on this machine keep their sessions. The workers' own command removes them: it knows where
 * they are, and whether a run writes them.
 *
 * @internal
 */
final class SessionFiles
{
    private const PATIENCE_S = 60.0;
    /** Sessions that one command is told of. */
    private const AT_ONCE = 200;

    public function __construct(
        private readonly Container $app,
        private readonly Repository $config,
        private readonly LoggerInterface $logger,
    ) {
    }

    /** @param list<string> $sessions their ids; what cannot be removed is logged */
    public function remove(array $sessions): void
    {
        foreach (array_chunk($sessions, self::AT_ONCE) as $some) {
            try {
                $this->command($some);
            } catch (\Throwable $error) {
                $message = 'The files of sessions that were deleted could not be removed: ';
                $this->logger->warning($message . $error->getMessage(), ['sessions' => $some]);
            }
        }
    }

    /** @param list<string> $sessions */
    private function command(array $sessions): void
    {
        $agents = $this->app->make(Agents::class);
        $place = $this->config->get('agent-workers.simulate') ? ['--simulated'] : [];
        $command = [$agents->binary('agent-workers'), 'sessions', 'remove', ...$place, '--', ...$sessions];
        $environment = new Environment(values: $agents->env());
        $process = new Process($command, '/', $environment->forProcess(), null, self::PATIENCE_S);
        if ($process->run() !== 0) {
            throw new \RuntimeException(trim($process->getErrorOutput()) ?: "status {$process->getExitCode()}");
        }
    }
}
