<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

use AgentWorkers\Exception\AgentWorkersException;
use AgentWorkers\Laravel\Fleet\FleetAccess;

/**
 * Looks whether the fleet's Redis is there, and keeps what it is given.
 *
 * @internal
 */
final class FleetCheck
{
    private const OLDEST = '6.2.0';

    /** @return array<string, mixed> */
    public static function of(FleetAccess $access): array
    {
        try {
            $redis = $access->fleet()->connection();
            $found = $redis->ask(static fn (\Redis $redis): mixed => $redis->info());
        } catch (AgentWorkersException $error) {
            return self::told('fail', mb_strcut($error->getMessage(), 0, 500), 'Start Redis, and set `fleet` in '
                . 'config/agent-workers.php to where it is: no run can be given to the fleet.');
        }
        $info = is_array($found) ? $found : [];
        $version = (string) ($info['redis_version'] ?? '0');
        $policy = (string) ($info['maxmemory_policy'] ?? 'noeviction');
        $isKept = (int) ($info['aof_enabled'] ?? 0) === 1;
        $is = "$redis->address: Redis $version, appendonly " . ($isKept ? 'yes' : 'no') . ", maxmemory-policy $policy, "
            . 'phpredis ' . phpversion('redis');

        return match (true) {
            version_compare($version, self::OLDEST, '<')
                => self::told('fail', $is, 'The fleet needs Redis ' . self::OLDEST . ' or newer.'),
            $policy !== 'noeviction' => self::told('warn', $is, 'Set maxmemory-policy to noeviction: Redis would drop '
                . 'jobs and events when its memory is full.'),
            !$isKept => self::told('warn', $is, 'Set appendonly to yes: jobs and events would be lost when Redis is '
                . 'started anew.'),
            default => self::told('ok', $is),
        };
    }

    /** @return array<string, mixed> */
    private static function told(string $status, string $found, ?string $cure = null): array
    {
        return array_filter(['check' => 'fleet', 'status' => $status, 'found' => $found, 'cure' => $cure]);
    }
}
