<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

use Symfony\Component\Process\Exception\ExceptionInterface;
use Symfony\Component\Process\Process;

/**
 * Asks the pool how it is, as the user that will ask it to run something.
 *
 * @internal
 */
final class PoolCheck
{
    private const CHECK = 'pool';
    private const PATIENCE_S = 10;
    private const COST = 'Each run starts a worker: its first word waits for an interpreter and a CLI.';
    private const ASK = <<<'PHP'
        $pool = @stream_socket_client("unix://$argv[1]", $code, $why, 1.0);
        $pool === false && exit(fwrite(STDERR, $why));
        fwrite($pool, "{\"pool\": 1, \"status\": true}\n");
        stream_set_timeout($pool, 5);
        echo stream_get_line($pool, 1 << 20, "\n");
        PHP;

    /** What the pool and the workers that are started here should have in common, by its name in the status. */
    private const COMMON = ['policy' => 'AGENT_WORKERS_POLICY', 'state_dir' => 'AGENT_WORKERS_STATE_DIR'];

    /**
     * @param list<string> $prefix words before the command, such as those that change the user
     * @param array<string, string|false> $environment of the workers that are started here
     *
     * @return array<string, mixed>
     */
    public static function of(string $socket, array $prefix, array $environment): array
    {
        $process = new Process([...$prefix, PHP_BINARY, '-r', self::ASK, '--', $socket], '/');
        try {
            $process->setTimeout(self::PATIENCE_S)->run();
        } catch (ExceptionInterface $error) {
            return self::unanswered($socket, $error->getMessage());
        }
        $status = json_decode($process->getOutput(), true);
        if (is_array($status['pools'] ?? null)) {
            return self::answered($socket, $status, $environment);
        }
        $why = trim($process->getErrorOutput()) ?: 'it does not answer';

        return self::unanswered($socket, is_string($status['message'] ?? null) ? $status['message'] : $why);
    }

    /**
     * @param array<string, mixed> $status
     * @param array<string, string|false> $environment
     *
     * @return array<string, mixed>
     */
    private static function answered(string $socket, array $status, array $environment): array
    {
        $told = array_map(
            static fn (array $pool, string $name): string => sprintf(
                '%s: %s, %d ready, %d busy, %d kept',
                $name,
                $pool['worker'] ?? '',
                $pool['idle'] ?? 0,
                $pool['busy'] ?? 0,
                $pool['live'] ?? 0,
            ),
            $status['pools'],
            array_map(strval(...), array_keys($status['pools'])),
        );
        $faults = array_values(array_filter(array_column($status['pools'], 'fault')));
        $others = self::differences($status, $environment);

        return array_filter([
            'check' => self::CHECK,
            'status' => $faults === [] && $others === [] ? 'ok' : 'warn',
            'found' => implode('; ', [$socket, ...$told, ...$faults, ...$others]),
            'cure' => match (true) {
                $faults !== [] => 'See the log of the pool. ' . self::COST,
                $others !== [] => 'Start the pool with what is set here: it counts for each run that the pool serves.',
                default => null,
            },
            'facts' => ['socket' => $socket],
        ]);
    }

    /**
     * @param array<string, mixed> $status
     * @param array<string, string|false> $environment
     *
     * @return list<string>
     */
    private static function differences(array $status, array $environment): array
    {
        $found = [];
        foreach (array_intersect_key(self::COMMON, $status) as $field => $variable) {
            [$own, $others] = [($environment[$variable] ?? '') ?: 'none', $status[$field] ?? 'none'];
            $own === $others || $found[] = "$variable is $others in the pool, and $own here";
        }

        return $found;
    }

    /** @return array<string, mixed> */
    private static function unanswered(string $socket, string $why): array
    {
        return [
            'check' => self::CHECK,
            'status' => 'warn',
            'found' => "$socket: " . mb_strcut($why, 0, 500),
            'cure' => self::COST . " Start `agent-workers pool --socket $socket`, and let this user connect: the "
                . 'group of the socket, and allow_users.',
        ];
    }
}
