<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Gateway;

use AgentWorkers\Laravel\Stream\Store;
use Illuminate\Contracts\Cache\Factory;
use Illuminate\Contracts\Cache\Repository;
use Illuminate\Contracts\Config\Repository as Config;

/**
 * Remembers which webhooks were taken, in the cache, for longer than the gateway tells them.
 *
 * @internal
 */
final class TakenWebhooks
{
    private const PREFIX = 'agent-workers:webhook:';
    private const KEPT_S = 7 * 24 * 3600;
    /** Seconds for which a PHP process that was killed keeps a webhook from being taken. */
    private const TAKING_S = 60;

    private readonly Repository $cache;

    public function __construct(Factory $caches, Config $config)
    {
        $this->cache = Store::cache($caches, $config);
    }

    /** Whether nobody else takes it, or has taken it. */
    public function begin(string $id): bool
    {
        return $this->cache->add(self::key($id), 'taking', self::TAKING_S);
    }

    public function isDone(string $id): bool
    {
        return $this->cache->get(self::key($id)) === 'taken';
    }

    public function finish(string $id): void
    {
        $this->cache->put(self::key($id), 'taken', self::KEPT_S);
    }

    public function forget(string $id): void
    {
        $this->cache->forget(self::key($id));
    }

    private static function key(string $id): string
    {
        return self::PREFIX . hash('sha256', $id);
    }
}
