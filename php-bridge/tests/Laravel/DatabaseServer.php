<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use Symfony\Component\Process\Process;

/** A database server of a test's own: on a free port of the loopback interface, with its own data, stopped by its pid. */
final class DatabaseServer
{
    private const PATIENCE_S = 60;

    private function __construct(
        private readonly Process $process,
        private readonly string $directory,
        /** @var array<string, mixed> as config/database.php has it */
        public readonly array $connection,
    ) {
    }

    /** @return self|string the server, or why there is none */
    public static function start(string $kind): self|string
    {
        [$program, $driver, $package] = match ($kind) {
            'mariadb' => ['/usr/sbin/mariadbd', 'pdo_mysql', 'mariadb-server php-mysql'],
            'postgresql' => [glob('/usr/lib/postgresql/*/bin/postgres')[0] ?? '', 'pdo_pgsql', 'postgresql php-pgsql'],
        };
        if (!is_executable($program) || !extension_loaded($driver)) {
            return "There is no $kind here; on Debian: apt-get install $package";
        }
        $directory = sys_get_temp_dir() . '/agent-workers-' . $kind . '-' . bin2hex(random_bytes(4));
        mkdir($directory, 0700);

        return $kind === 'mariadb' ? self::mariaDb($program, $directory) : self::postgreSql($program, $directory);
    }

    public function stop(): void
    {
        $this->process->signal(SIGINT); // PostgreSQL would wait for its clients at SIGTERM; MariaDB ignores this
        $this->process->stop(10, SIGKILL);
        (new Process(['rm', '-rf', $this->directory]))->run();
    }

    private static function mariaDb(string $program, string $directory): self
    {
        $port = self::freePort();
        $as = self::as('mysql', $directory);
        $data = ["--datadir=$directory/data", '--no-defaults'];
        self::run([...$as, 'mariadb-install-db', ...array_reverse($data), '--auth-root-authentication-method=normal',
            '--skip-test-db']);
        $process = new Process([...$as, $program, '--no-defaults', $data[0], "--port=$port", '--bind-address=127.0.0.1',
            "--socket=$directory/socket", "--pid-file=$directory/pid", '--innodb-flush-log-at-trx-commit=0']);
        $connection = ['driver' => 'mysql', 'host' => '127.0.0.1', 'port' => $port, 'database' => 'test',
            'username' => 'root', 'password' => '', 'charset' => 'utf8mb4', 'collation' => 'utf8mb4_unicode_ci',
            'prefix' => '', 'strict' => true];
        $create = static fn (): mixed => (new \PDO("mysql:unix_socket=$directory/socket", 'root', ''))->exec(
            "CREATE DATABASE test; CREATE USER IF NOT EXISTS root@'127.0.0.1'; GRANT ALL ON *.* TO root@'127.0.0.1'",
        );

        return self::ready(new self($process, $directory, $connection), $create);
    }

    private static function postgreSql(string $program, string $directory): self
    {
        $port = self::freePort();
        $as = self::as('postgres', $directory);
        self::run([...$as, dirname($program) . '/initdb', '--auth=trust', '--username=test', '--no-sync',
            '--encoding=UTF8', '--locale=C', "--pgdata=$directory/data"]);
        $process = new Process([...$as, $program, '-D', "$directory/data", '-p', (string) $port, '-h', '127.0.0.1',
            '-k', $directory, '-F']);
        $connection = ['driver' => 'pgsql', 'host' => '127.0.0.1', 'port' => $port, 'database' => 'postgres',
            'username' => 'test', 'password' => '', 'charset' => 'utf8', 'prefix' => '', 'schema' => 'public',
            'search_path' => 'public', 'sslmode' => 'disable'];
        $connect = static fn (): mixed => new \PDO("pgsql:host=127.0.0.1;port=$port;dbname=postgres;user=test");

        return self::ready(new self($process, $directory, $connection), $connect);
    }

    /** @param \Closure(): mixed $connect throws as long as nobody answers */
    private static function ready(self $server, \Closure $connect): self
    {
        $server->process->setTimeout(null)->start();
        for ($end = hrtime(true) + self::PATIENCE_S * 1e9;; usleep(20_000)) {
            try {
                $connect();

                return $server;
            } catch (\PDOException $error) {
                if (hrtime(true) > $end || !$server->process->isRunning()) {
                    $output = $server->process->getErrorOutput();
                    $server->stop();
                    throw new \RuntimeException("The database did not start: {$error->getMessage()}\n$output");
                }
            }
        }
    }

    /** @return list<string> words before a command that make it run as a user who owns the directory, and is not root */
    private static function as(string $user, string $directory): array
    {
        if (posix_getuid() !== 0) {
            return [];
        }
        chown($directory, $user);

        return ['setpriv', "--reuid=$user", "--regid=$user", '--clear-groups', '--'];
    }

    /** @param list<string> $command */
    private static function run(array $command): void
    {
        (new Process($command, '/', null, null, self::PATIENCE_S))->mustRun();
    }

    private static function freePort(): int
    {
        $socket = stream_socket_server('tcp://127.0.0.1:0') ?: throw new \RuntimeException('There is no free port.');

        return (int) substr((string) strrchr((string) stream_socket_get_name($socket, false), ':'), 1);
    }
}
