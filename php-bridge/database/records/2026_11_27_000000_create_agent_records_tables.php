<?php

declare(strict_types=1);

use AgentWorkers\Laravel\Records\Settings;
use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Database\Schema\ColumnDefinition;
use Illuminate\Support\Facades\Schema;

/** What agents were asked, did and cost. The workers' own writer has the same tables. Times are in UTC. */
return new class extends Migration {
    private const NAMES = [
        'agent_conversations', 'agent_runs', 'agent_messages', 'agent_usage', 'agent_events', 'agent_insights',
    ];

    public function getConnection(): ?string
    {
        return app(Settings::class)->connection();
    }

    public function up(): void
    {
        $schema = Schema::connection($this->getConnection());
        foreach (self::NAMES as $name) {
            $fill = lcfirst(str_replace(' ', '', ucwords(str_replace(['agent', '_'], ['', ' '], $name))));
            $table = app(Settings::class)->table($name);
            $schema->hasTable($table) || $schema->create($table, function (Blueprint $table) use ($fill): void {
                // Of MariaDB and MySQL: names that differ in their case only are different ones.
                [$table->charset, $table->collation] = ['utf8mb4', 'utf8mb4_bin'];
                $this->$fill($table);
            });
        }
    }

    public function down(): void
    {
        foreach (self::NAMES as $name) {
            Schema::connection($this->getConnection())->dropIfExists(app(Settings::class)->table($name));
        }
    }

    /** MySQL's own JSON would be another text than was written. */
    private static function json(Blueprint $table, string $column): ColumnDefinition
    {
        $driver = Schema::connection(app(Settings::class)->connection())->getConnection()->getDriverName();

        return in_array($driver, ['mysql', 'mariadb'], true) ? $table->longText($column) : $table->json($column);
    }

    private function conversations(Blueprint $table): void
    {
        $table->string('id', 191)->primary();
        $table->string('session_id', 191)->nullable()->index();
        $table->string('owner', 191)->nullable();
        $table->string('tenant', 191)->nullable()->index();
        self::json($table, 'subject')->nullable();
        $table->string('title', 255)->nullable();
        $table->string('worker', 191);
        $table->string('engine', 191)->nullable();
        self::json($table, 'tools')->nullable();
        $table->dateTime('created_at', 3);
        $table->dateTime('updated_at', 3);
        $table->index(['owner', 'updated_at']);
    }

    private function runs(Blueprint $table): void
    {
        $table->string('id', 191)->primary();
        $table->string('conversation_id', 191)->nullable()->index();
        $table->string('worker', 191);
        foreach (['worker_version', 'skill', 'skill_version', 'user', 'tenant'] as $column) {
            $table->string($column, 191)->nullable();
        }
        self::json($table, 'subject')->nullable();
        $table->text('goal')->nullable();
        $table->string('model', 191)->nullable();
        $table->string('session_id', 191)->nullable();
        $table->string('status', 191)->index();
        $table->string('code', 191)->nullable();
        $table->string('stop_reason', 191)->nullable();
        $table->integer('attempts')->default(1);
        $table->bigInteger('last_seq')->default(0);
        $table->dateTime('started_at', 3);
        $table->dateTime('first_delta_at', 3)->nullable();
        $table->dateTime('ended_at', 3)->nullable();
        $table->bigInteger('duration_ms')->nullable();
        $table->bigInteger('turns')->nullable();
        $table->decimal('cost_usd', 14, 8)->nullable();
        $table->string('traceparent', 191)->nullable();
        $table->boolean('simulated')->default(false);
        $table->char('chain_head', 64)->nullable();
        $table->index(['user', 'started_at']);
        $table->index(['tenant', 'started_at']);
        $table->index('skill');
    }

    private function messages(Blueprint $table): void
    {
        $table->bigIncrements('id');
        $table->string('run_id', 191)->index();
        $table->string('conversation_id', 191)->nullable()->index();
        $table->integer('attempt');
        $table->bigInteger('seq');
        $table->string('role', 16);
        $table->string('kind', 16);
        self::json($table, 'content')->nullable();
        foreach (['name', 'tool_use_id', 'status', 'actor'] as $column) {
            $table->string($column, 191)->nullable();
        }
        $table->dateTime('created_at', 3);
        $table->unique(['run_id', 'attempt', 'seq', 'kind']);
    }

    private function usage(Blueprint $table): void
    {
        $table->bigIncrements('id');
        $table->string('run_id', 191);
        $table->integer('turn');
        $table->string('model', 191);
        foreach (['input', 'output', 'cache_read_input', 'cache_creation_input'] as $kind) {
            $table->bigInteger("{$kind}_tokens")->nullable();
        }
        $table->decimal('cost_usd', 14, 8)->nullable();
        foreach (['user', 'tenant', 'skill'] as $column) {
            $table->string($column, 191)->nullable();
        }
        $table->dateTime('at', 3)->index();
        $table->unique(['run_id', 'turn', 'model']);
    }

    private function events(Blueprint $table): void
    {
        $table->bigIncrements('id');
        $table->string('run_id', 191)->nullable();
        $table->integer('attempt')->nullable();
        $table->bigInteger('seq')->nullable();
        $table->string('aggregate_id', 191)->nullable()->index();
        $table->string('type', 191);
        self::json($table, 'payload');
        $table->dateTime('at', 3);
        $table->unique(['run_id', 'attempt', 'seq']);
    }

    private function insights(Blueprint $table): void
    {
        $table->bigIncrements('id');
        $table->string('run_id', 191)->unique();
        $table->string('skill', 191);
        $table->string('skill_version', 191)->nullable();
        self::json($table, 'subject')->nullable();
        $table->string('subject_key', 191)->nullable()->index();
        self::json($table, 'output');
        self::json($table, 'needs_review')->nullable();
        $table->dateTime('created_at', 3);
    }
};
