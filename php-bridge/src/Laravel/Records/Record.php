<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use Illuminate\Database\Eloquent\Model;

/** A row of the records, in the table and on the connection of the configuration. */
abstract class Record extends Model
{
    /** Name of the table as the schema has it; the operator may set a prefix. */
    protected const NAME = '';

    /** @var bool The times are those of the run's events. */
    public $timestamps = false;

    /** @var list<string> */
    protected $guarded = [];

    public function getTable(): string
    {
        return app(Settings::class)->table(static::NAME);
    }

    public function getConnectionName(): ?string
    {
        return $this->connection ?? app(Settings::class)->connection();
    }
}
