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

    /**
     * @param list<string> $prefix words before the command, such as those that change the user
     *
     * @return array<string, mixed>
     */
    public static function of(string $socket, array $prefix): array
    {
        $process = new Process([...$prefix, PHP_BINARY, '-r', self::ASK, '--', $socket], '/');
        try {
            $process->setTimeout(self::PATIENCE_S)->run();
        } catch (ExceptionInterface $error) {
            return self::unanswered($socket, $error->getMessage());
        }
        $status = json_decode($process->getOutput(), true);
        if (is_array($status['pools'] ?? null)) {
            return self::answered($socket, $status);
        }
        $why = trim($process->getErrorOutput()) ?: 'it does not answer';

        return self::unanswered($socket, is_string($status['message'] ?? null) ? $status['message'] : $why);
    }

    /**
     * @param array<string, mixed> $status
     *
     * @return array<string, mixed>
     */
    private static function answered(string $socket, array $status): array
    {
        $faults = array_filter(array_column($status['pools'], 'fault'));
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

        return array_filter([
            'check' => self::CHECK,
            'status' => $faults === [] ? 'ok' : 'warn',
            'found' => implode('; ', [$socket, ...$told, ...$faults]),
            'cure' => $faults === [] ? null : 'See the log of the pool. ' . self::COST,
            'facts' => ['socket' => $socket],
        ]);
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
