<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use Illuminate\Contracts\Container\Container;
use Illuminate\Database\ConnectionInterface;
use Illuminate\Database\ConnectionResolverInterface;
use Illuminate\Database\Query\Builder;

/**
 * The database that has the records' tables.
 *
 * @internal
 */
final class Database
{
    /** Tries of a transaction that another one is in the way of. */
    private const TRIES = 3;

    /** An application that records nothing may have no database at all. */
    public function __construct(private readonly Container $app, private readonly Settings $settings)
    {
    }

    /**
     * Writes changes of one run, all or none. Two that write the same run at once, or one that writes it again, leave
     * the same rows.
     *
     * @param list<Change> $changes
     *
     * @return string|null the conversation, where it begins by that
     *
     * @throws \Throwable the database is away, or lacks the tables
     */
    public function write(string $run, array $changes): ?string
    {
        // Nested in a transaction of the application this is a savepoint: what fails here breaks nothing there.
        return $this->connection()->transaction(
            fn (): ?string => (new Upserts($this, (string) Columns::name($run)))->write($changes),
            self::TRIES,
        );
    }

    public function connection(): ConnectionInterface
    {
        return $this->app->make(ConnectionResolverInterface::class)->connection($this->settings->connection());
    }

    /** @param string $name as the schema has it */
    public function table(string $name): Builder
    {
        return $this->connection()->table($this->settings->table($name));
    }
}
