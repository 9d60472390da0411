<?php

declare(strict_types=1);

namespace AgentWorkers\Fleet;

use AgentWorkers\Exception\FleetException;
use AgentWorkers\Exception\LogicException;

/**
 * A connection of its own to the fleet's Redis: one that is shared may put a prefix before keys, or serialize values.
 * It is opened when it is first used, and anew when it was lost.
 *
 * @internal
 */
final class Connection
{
    /** Longest wait of a command in Redis, and for its answer, which must be longer. */
    public const BLOCK_MS = 2_000;
    private const READ_TIMEOUT_S = 10.0;
    private const CONNECT_TIMEOUT_S = 3.0;
    private const SCRIPTS = __DIR__ . '/../../resources/fleet/';
    /** Redis has said no, and will say it again. */
    private const HOPELESS = '/^(NOAUTH|WRONGPASS|NOPERM|ERR (AUTH|invalid password|Client sent AUTH|DB index))/';
    private const LONGEST_PAUSE_S = 1.0;

    private ?\Redis $redis = null;
    /** @var array<string, string> */
    private static array $scripts = [];

    /** @param float $patience seconds for which Redis may be away */
    public function __construct(
        public readonly Address $address,
        public readonly string $prefix,
        private readonly float $patience,
    ) {
        if (!class_exists(\Redis::class)) {
            throw new LogicException(
                'The fleet needs the PHP extension redis (phpredis). Install it, such as with `apt install php-redis` '
                    . 'or `pecl install redis`, and restart PHP.',
            );
        }
    }

    public function key(string $name): string
    {
        return "$this->prefix:$name";
    }

    /** All keys of a run have its id in braces. */
    public function ofRun(string $run, string $what = ''): string
    {
        return $this->key("run:{{$run}}" . ($what === '' ? '' : ":$what"));
    }

    /**
     * Runs one of the fleet's scripts: all of its rules, and so all that changes something, is there.
     *
     * @param list<string|int> $arguments
     *
     * @throws FleetException
     */
    public function script(string $name, array $arguments): mixed
    {
        $script = self::$scripts[$name] ??= file_get_contents(self::SCRIPTS . 'common.lua')
            . file_get_contents(self::SCRIPTS . "$name.lua");
        $all = [$this->prefix, ...array_map(strval(...), $arguments)];

        return $this->ask(static function (\Redis $redis) use ($script, $all): mixed {
            $answer = $redis->evalSha(sha1($script), $all, 1);
            if (!str_starts_with((string) $redis->getLastError(), 'NOSCRIPT')) {
                return $answer;
            }
            $redis->clearLastError();

            return $redis->eval($script, $all, 1);
        });
    }

    /**
     * Asks Redis; where it is away, again, until the patience is at its end. What is asked must do no harm twice.
     *
     * @template T
     *
     * @param \Closure(\Redis): T $question
     * @param (\Closure(): bool)|null $goesOn called while Redis is away; false gives up
     *
     * @return T
     *
     * @throws FleetException
     */
    public function ask(\Closure $question, ?\Closure $goesOn = null): mixed
    {
        $end = self::now() + $this->patience;
        for ($pause = 0.05;; $pause = min($pause * 2, self::LONGEST_PAUSE_S)) {
            try {
                return $this->once($question);
            } catch (\RedisException $error) {
                $this->redis = null;
                $isHopeless = preg_match(self::HOPELESS, $error->getMessage()) === 1;
                if ($isHopeless || self::now() + $pause > $end || ($goesOn !== null && !$goesOn())) {
                    throw $this->failure($error->getMessage(), $error);
                }
            }
            usleep((int) ($pause * 1e6));
        }
    }

    public function close(): void
    {
        try {
            $this->redis?->close();
        } catch (\RedisException) {
            // It has gone.
        }
        $this->redis = null;
    }

    /** @param \Closure(\Redis): mixed $question */
    private function once(\Closure $question): mixed
    {
        $redis = $this->redis ??= $this->open();
        $redis->clearLastError();
        $answer = $question($redis);
        $refusal = $redis->getLastError();

        return $refusal === null ? $answer : throw $this->failure($refusal);
    }

    /** @throws \RedisException */
    private function open(): \Redis
    {
        $redis = new \Redis();
        $at = $this->address;
        if (!@$redis->connect($at->host, $at->port, self::CONNECT_TIMEOUT_S, null, 0, self::READ_TIMEOUT_S)) {
            throw new \RedisException('no connection');
        }
        defined('Redis::OPT_MAX_RETRIES') && $redis->setOption(\Redis::OPT_MAX_RETRIES, 0); // ask() does that
        $auth = $at->auth();
        if ($auth !== null && !@$redis->auth($auth)) {
            throw $this->failure((string) $redis->getLastError());
        }
        if ($at->database !== 0 && !$redis->select($at->database)) {
            throw $this->failure((string) $redis->getLastError());
        }

        return $redis;
    }

    private function failure(string $why, ?\Throwable $cause = null): FleetException
    {
        return new FleetException("The fleet's Redis at $this->address: $why", 0, $cause);
    }

    private static function now(): float
    {
        return hrtime(true) / 1e9;
    }
}
