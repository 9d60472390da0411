<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Laravel\Records\Settings;
use Illuminate\Support\Facades\DB;

/** Tests over each kind of database: a file of SQLite, and servers that are started once for a class. */
trait Databases
{
    /** @var array<string, DatabaseServer|string> */
    private static array $servers = [];

    public static function tearDownAfterClass(): void
    {
        foreach (self::$servers as $server) {
            is_string($server) || $server->stop();
        }
        self::$servers = [];
    }

    /** @return array<string, array{string}> */
    public static function databases(): array
    {
        return ['SQLite' => ['sqlite'], 'MariaDB' => ['mariadb'], 'PostgreSQL' => ['postgresql']];
    }

    private function connect(string $kind): void
    {
        $connection = ['driver' => 'sqlite', 'database' => $this->directory() . '/db.sqlite', 'prefix' => ''];
        if ($kind === 'sqlite') {
            touch($connection['database']);
        } else {
            self::$servers[$kind] ??= DatabaseServer::start($kind);
            is_string(self::$servers[$kind]) && self::markTestSkipped(self::$servers[$kind]);
            $connection = self::$servers[$kind]->connection;
        }
        $connections = ['test' => $connection];
        config(['database' => ['default' => 'test', 'connections' => $connections, 'migrations' => 'migrations']]);
        DB::purge();
    }

    private static function migrate(string $folder): void
    {
        foreach (glob(dirname(__DIR__, 2) . "/database/$folder/*.php") ?: [] as $file) {
            $migration = require $file;
            $migration->down();
            $migration->up();
        }
    }

    /** Switches records on, over an empty database. */
    private function record(string $kind = 'sqlite'): void
    {
        $this->connect($kind);
        config(['agent-workers.records' => ['enabled' => true, 'spool' => ['path' => $this->directory() . '/spool']]]);
        self::migrate('records');
    }

    private static function table(string $name): \Illuminate\Database\Query\Builder
    {
        return DB::table(app(Settings::class)->table($name));
    }
}
