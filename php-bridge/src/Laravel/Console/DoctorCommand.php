<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

use AgentWorkers\Exception\AgentWorkersException;
use AgentWorkers\Laravel\Agents;
use AgentWorkers\Laravel\Fleet\FleetAccess;
use AgentWorkers\Laravel\Signing;
use AgentWorkers\Process\Environment;
use AgentWorkers\PoolRunner;
use AgentWorkers\ProcessRunner;
use Illuminate\Console\Command;
use Illuminate\Contracts\Config\Repository;
use Symfony\Component\Process\Process;

final class DoctorCommand extends Command
{
    private const PATIENCE_S = 60;

    /** @var string */
    protected $signature = 'agent:doctor
        {--online : See if the API can be reached, too}
        {--json : Write what was found as JSON}';

    /** @var string */
    protected $description = 'Tell whether this user, and the web server\'s, can run agents';

    public function handle(Agents $agents, Repository $config, FleetAccess $fleet, Signing $signing): int
    {
        $reports = [];
        $servers = (array) $config->get('agent-workers.mcp_servers', []);
        $unused = $servers === [] ? ['tool' => true] : []; // it runs their tools, and nothing else
        $workers = array_keys(array_diff_key((array) $config->get('agent-workers.workers', []), $unused));
        foreach ($this->users((string) $config->get('agent-workers.web_user', 'www-data')) as $user => $prefix) {
            $environment = self::environment($agents, $prefix, (array) $config->get('agent-workers.inherit', []));
            $report = $this->examine($agents, $prefix, $environment);
            $socket = (string) $config->get('agent-workers.pool');
            if ($socket !== '') {
                $report['checks'][] = PoolCheck::of($socket, $prefix, $environment);
            }
            if ($fleet->isThere()) {
                $report['checks'][] = FleetCheck::of($fleet);
            }
            array_push($report['checks'], ...array_filter([SigningCheck::of($signing)]));
            foreach ($workers as $worker) {
                $report['checks'][] = $this->examineWorker($agents, (string) $worker, $prefix);
            }
            $found = array_column($report['checks'], 'status');
            $worst = array_values(array_intersect(['fail', 'warn', 'ok'], $found))[0] ?? 'ok';
            $reports[$user] = ['status' => $worst] + $report + ['user' => $user];
        }
        $this->option('json') ? $this->line((string) json_encode($reports)) : $this->show($reports);
        $isFailed = in_array('fail', array_column($reports, 'status'), true);

        return $isFailed ? self::FAILURE : self::SUCCESS;
    }

    /** @return array<string, list<string>> words before the command, by name of the user */
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
     * @return array<string, string|false>
     */
    private static function environment(Agents $agents, array $prefix, array $inherit): array
    {
        $patterns = [...ProcessRunner::INHERITED_ENV, ...$inherit];

        return (new Environment($patterns, $agents->env() + self::home($prefix)))->forProcess();
    }

    /**
     * @param list<string> $prefix
     * @param array<string, string|false> $environment
     *
     * @return array{status: string, checks: list<array<string, mixed>>}
     */
    private function examine(Agents $agents, array $prefix, array $environment): array
    {
        $options = $this->option('online') ? ['--online'] : [];
        $command = [...$prefix, $agents->binary('agent-workers'), 'doctor', '--json', ...$options];
        $process = new Process($command, '/', $environment);
        [$report, $why] = self::reportOf($process);

        return $report ?? ['status' => 'fail', 'checks' => [self::cannotRun('program', implode(' ', $command), $why)]];
    }

    /**
     * Checks a worker of config/agent-workers.php with the program, the options and the environment of its runs.
     *
     * @param list<string> $prefix
     *
     * @return array<string, mixed>
     */
    private function examineWorker(Agents $agents, string $worker, array $prefix): array
    {
        $check = "worker $worker";
        try {
            $runner = $agents->runner($worker);
            $byItself = $agents->poolObstacle($worker);
        } catch (AgentWorkersException | \InvalidArgumentException $error) {
            return self::cannotRun($check, "workers.$worker", $error->getMessage());
        }
        $isPooled = $runner instanceof PoolRunner;
        $runner = $isPooled ? $runner->fallback() : $runner;
        if (!$runner instanceof ProcessRunner) {
            return ['check' => $check, 'status' => 'ok', 'found' => 'not looked at: run by ' . get_debug_type($runner)];
        }
        $process = $runner->examination($prefix, self::home($prefix));
        [$report, $why] = self::reportOf($process);
        if ($report === null) {
            return self::cannotRun($check, implode(' ', [...$prefix, $runner->binary()]), $why);
        }
        $facts = array_column($report['checks'], 'facts', 'check');
        $faults = array_filter($report['checks'], static fn (array $each): bool => $each['status'] !== 'ok');
        $found = array_map(static fn (array $each): string => "{$each['check']}: {$each['found']}", $faults);
        $facts = array_filter([
            'binary' => $runner->binary(),
            'state_dir' => $facts['state_dir']['path'] ?? null,
            'policy' => $facts['policy']['path'] ?? null,
        ]);

        $found = $found ?: [
            'state in ' . ($facts['state_dir'] ?? 'no place'),
            isset($facts['policy']) ? "policy {$facts['policy']}" : 'no policy',
        ];
        $byPool = $isPooled ? ['all this where no pool answers: what it runs has its own state and policy'] : [];
        $byPool = $byItself === null ? $byPool : ["not run by the pool: $byItself"];

        return array_filter([
            'check' => $check,
            'status' => $report['status'],
            'found' => implode('; ', [$runner->binary(), ...$found, ...$byPool]),
            'cure' => array_column($faults, 'cure')[0] ?? null,
            'facts' => $facts,
        ]);
    }

    /**
     * @param list<string> $prefix
     *
     * @return array<string, string|false> variables of the user
     */
    private static function home(array $prefix): array
    {
        if ($prefix === []) {
            return [];
        }
        $home = posix_getpwnam(substr($prefix[1], strlen('--reuid=')))['dir'] ?? '/nonexistent';

        return ['HOME' => $home] + array_fill_keys(['USER', 'LOGNAME', 'TMPDIR', 'XDG_STATE_HOME'], false);
    }

    /** @return array{?array<string, mixed>, string} the report, or why there is none */
    private static function reportOf(Process $process): array
    {
        try {
            $process->setTimeout(self::PATIENCE_S)->setInput('')->run();
        } catch (\Symfony\Component\Process\Exception\ExceptionInterface $error) {
            return [null, $error->getMessage()];
        }
        $report = json_decode($process->getOutput(), true);
        if (is_array($report) && is_string($report['status'] ?? null) && is_array($report['checks'] ?? null)) {
            return [$report, ''];
        }
        $status = $process->getExitCode();

        return [null, trim($process->getErrorOutput()) ?: "it wrote no report, and ended with status $status"];
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

    /** @return array<string, mixed> */
    private static function cannotRun(string $check, string $what, string $why): array
    {
        return [
            'check' => $check,
            'status' => 'fail',
            'found' => trim("$what: " . mb_strcut($why, 0, 500)),
            'cure' => 'Set binaries in config/agent-workers.php to programs that this user can run.',
        ];
    }
}
