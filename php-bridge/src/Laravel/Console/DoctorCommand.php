<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

use AgentWorkers\Laravel\Agents;
use AgentWorkers\ProcessRunner;
use AgentWorkers\Worker\Environment;
use Illuminate\Console\Command;
use Illuminate\Contracts\Config\Repository;
use Symfony\Component\Process\Process;

final class DoctorCommand extends Command
{
    /** @var string */
    protected $signature = 'agent:doctor
        {--online : See if the API can be reached, too}
        {--json : Write what was found as JSON}';

    /** @var string */
    protected $description = 'Tell whether this user, and the web server\'s, can run agents';

    public function handle(Agents $agents, Repository $config): int
    {
        $reports = [];
        foreach ($this->users((string) $config->get('agent-workers.web_user', 'www-data')) as $user => $prefix) {
            $reports[$user] = $this->examine($agents, $prefix, (array) $config->get('agent-workers.inherit', []));
        }
        $this->option('json') ? $this->line((string) json_encode($reports)) : $this->show($reports);
        $isFailed = in_array('fail', array_column($reports, 'status'), true);

        return $isFailed ? self::FAILURE : self::SUCCESS;
    }

    /** @return array<string, list<string>> by name of the user, what to put before the command */
    private function users(string $web): array
    {
        $me = posix_getpwuid(posix_geteuid())['name'] ?? (string) posix_geteuid();
        if (posix_geteuid() !== 0 || $web === $me) {
            return [$me => []];
        }
        // env in between: what setpriv executes itself, it executes with root's rights to files.
        $become = ['setpriv', "--reuid=$web", "--regid=$web", '--init-groups', '--', 'env'];

        return [$me => [], $web => $become];
    }

    /**
     * @param list<string> $prefix
     * @param list<string> $inherit
     *
     * @return array{status: string, checks: list<array<string, mixed>>}
     */
    private function examine(Agents $agents, array $prefix, array $inherit): array
    {
        $options = $this->option('online') ? ['--online'] : [];
        $env = $agents->env();
        if ($prefix !== []) {
            $home = posix_getpwnam(substr($prefix[1], strlen('--reuid=')))['dir'] ?? '/nonexistent';
            $env += ['HOME' => $home] + array_fill_keys(['USER', 'LOGNAME', 'TMPDIR', 'XDG_STATE_HOME'], false);
        }
        $environment = new Environment([...ProcessRunner::INHERITED_ENV, ...$inherit], $env);
        $command = [...$prefix, $agents->binary('agent-workers'), 'doctor', '--json', ...$options];
        $process = new Process($command, '/', $environment->forProcess());
        try {
            $process->run();
        } catch (\Symfony\Component\Process\Exception\ExceptionInterface $error) {
            return self::cannotRun($command, $error->getMessage());
        }
        $report = json_decode($process->getOutput(), true);

        return is_array($report) && isset($report['status'], $report['checks'])
            ? $report
            : self::cannotRun($command, $process->getErrorOutput());
    }

    /** @param array<string, array{status: string, checks: list<array<string, mixed>>}> $reports */
    private function show(array $reports): void
    {
        foreach ($reports as $user => $report) {
            $this->info("As $user: {$report['status']}");
            $this->table(['Check', 'Status', 'Found'], array_map(
                static fn (array $check): array => [$check['check'], $check['status'], $check['found']],
                $report['checks'],
            ));
            foreach ($report['checks'] as $check) {
                isset($check['cure']) && $this->warn("{$check['check']}: {$check['cure']}");
            }
        }
    }

    /**
     * @param list<string> $command
     *
     * @return array{status: string, checks: list<array<string, mixed>>}
     */
    private static function cannotRun(array $command, string $why): array
    {
        return ['status' => 'fail', 'checks' => [[
            'check' => 'program',
            'status' => 'fail',
            'found' => trim(implode(' ', $command) . ': ' . mb_strcut($why, 0, 500)),
            'cure' => 'Set binaries in config/agent-workers.php to programs that this user can run.',
        ]]];
    }
}
