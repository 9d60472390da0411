<?php

declare(strict_types=1);

namespace AgentWorkers\Fleet;

use AgentWorkers\Exception\InvalidArgumentException;

/**
 * Where the fleet's Redis is.
 *
 * @internal
 */
final class Address
{
    private const SCHEMES = ['redis' => '', 'tcp' => '', 'rediss' => 'tls://', 'tls' => 'tls://', 'unix' => ''];
    private const USAGE = 'Write one such as redis://127.0.0.1:6379/0, rediss://user:password@redis.example.com:6380 '
        . 'or unix:///run/redis/redis.sock?db=1.';

    private function __construct(
        public readonly string $host,
        public readonly int $port,
        public readonly int $database = 0,
        public readonly ?string $user = null,
        private readonly ?string $password = null,
    ) {
    }

    /** @throws InvalidArgumentException it is no address of a Redis */
    public static function of(#[\SensitiveParameter] string $url): self
    {
        // parse_url() wants a host, which the path of a socket has none of.
        $parts = parse_url((string) preg_replace('~^unix://([^/@]*@)?/~i', 'unix://$1socket/', trim($url))) ?: [];
        $scheme = strtolower($parts['scheme'] ?? '');
        $path = $parts['path'] ?? '';
        if (!isset(self::SCHEMES[$scheme]) || !isset($parts['host'])) {
            throw new InvalidArgumentException('The address of the fleet is not one of a Redis. ' . self::USAGE);
        }
        parse_str($parts['query'] ?? '', $query);
        $isSocket = $scheme === 'unix';
        $database = $query['db'] ?? ($isSocket ? '0' : (trim($path, '/') ?: '0'));
        if (!is_string($database) || !ctype_digit($database)) {
            throw new InvalidArgumentException('The database in the address of the fleet is no number. ' . self::USAGE);
        }

        return new self(
            $isSocket ? $path : self::SCHEMES[$scheme] . trim($parts['host'], '[]'),
            $isSocket ? -1 : $parts['port'] ?? 6379,
            (int) $database,
            self::text(rawurldecode($parts['user'] ?? '') ?: $query['username'] ?? null),
            self::text(rawurldecode($parts['pass'] ?? '') ?: $query['password'] ?? null),
        );
    }

    /**
     * @param array<string, mixed> $settings as `database.redis` of Laravel has them
     *
     * @throws InvalidArgumentException they name no Redis
     */
    public static function ofSettings(#[\SensitiveParameter] array $settings): self
    {
        if (is_string($settings['url'] ?? null) && $settings['url'] !== '') {
            return self::of($settings['url']);
        }
        $host = $settings['host'] ?? null;
        if (!is_string($host) || $host === '') {
            throw new InvalidArgumentException('The connection of the fleet has neither url nor host. ' . self::USAGE);
        }
        $isSocket = str_starts_with($host, '/') || str_starts_with($host, 'unix://');
        $tls = in_array($settings['scheme'] ?? '', ['tls', 'rediss'], true) && !str_contains($host, '://');

        return new self(
            $isSocket ? preg_replace('~^unix://~', '', $host) : ($tls ? 'tls://' : '') . $host,
            $isSocket ? -1 : (int) ($settings['port'] ?? 6379),
            (int) ($settings['database'] ?? 0),
            self::text($settings['username'] ?? null),
            self::text($settings['password'] ?? null),
        );
    }

    /** @return list<string>|string|null in the form of phpredis */
    public function auth(): array|string|null
    {
        return match (true) {
            $this->password === null => null,
            $this->user === null => $this->password,
            default => [$this->user, $this->password],
        };
    }

    /** What may be shown: without the password. */
    public function __toString(): string
    {
        return $this->port === -1 ? $this->host : "$this->host:$this->port";
    }

    /** @return array<string, mixed> */
    public function __debugInfo(): array
    {
        return ['address' => (string) $this, 'database' => $this->database, 'user' => $this->user];
    }

    private static function text(mixed $value): ?string
    {
        return is_string($value) && $value !== '' ? $value : null;
    }
}
