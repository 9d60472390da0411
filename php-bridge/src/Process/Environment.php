<?php

declare(strict_types=1);

namespace AgentWorkers\Process;

/**
 * Selects what a worker inherits of this process's environment. Under php-fpm the rest holds the visitor's cookies and
 * headers, under Laravel the database password.
 *
 * @internal
 */
final class Environment
{
    /** Without HTTP_PROXY: under CGI and fpm a visitor can set it by a header. */
    public const INHERITED = [
        'PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'TZ', 'LANG', 'LANGUAGE', 'LC_*', 'XDG_STATE_HOME',
        'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'all_proxy', 'no_proxy',
        'SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE',
        'AGENT_WORKERS_*', 'ANTHROPIC_*', 'CLAUDE_*',
    ];

    /** What no worker needs: whoever has it can sign decisions, or reads a database's password. */
    private const KEPT = ['AGENT_WORKERS_SIGNING_KEY', 'AGENT_WORKERS_RECORDS'];

    private const FALLBACK = ['PATH' => '/usr/local/bin:/usr/bin:/bin', 'LANG' => 'C.UTF-8'];

    /**
     * @param list<string> $patterns names to inherit; `*` stands for any characters
     * @param array<string, string|false> $values variables to set; false removes one
     */
    public function __construct(
        private readonly array $patterns = self::INHERITED,
        private readonly array $values = [],
    ) {
    }

    /**
     * Returns the argument for Process::start(). Symfony adds the whole environment to it, so all other names are
     * false, which removes them.
     *
     * @return array<string, string|false>
     */
    public function forProcess(): array
    {
        $present = getenv() + self::strings($_ENV);
        $inherited = array_filter($present, $this->isInherited(...), ARRAY_FILTER_USE_KEY);
        $unset = array_fill_keys(array_keys($present + $_ENV + $_SERVER), false);

        return $this->values + $inherited + self::FALLBACK + self::home() + $unset;
    }

    private function isInherited(string|int $name): bool
    {
        if (in_array($name, self::KEPT, true)) {
            return false;
        }
        foreach ($this->patterns as $pattern) {
            if (fnmatch($pattern, (string) $name)) {
                return true;
            }
        }

        return false;
    }

    /** @return array{HOME?: string} */
    private static function home(): array
    {
        $user = function_exists('posix_getpwuid') ? posix_getpwuid(posix_geteuid()) : false;

        return $user === false ? [] : ['HOME' => $user['dir']];
    }

    /**
     * @param array<array-key, mixed> $values
     *
     * @return array<array-key, string>
     */
    private static function strings(array $values): array
    {
        return array_filter($values, 'is_string');
    }
}
