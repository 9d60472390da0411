<?php

declare(strict_types=1);

use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\Schema;

/** The results of tools that take effect once: see Agent::tool(…)->once(). */
return new class extends Migration {
    public function getConnection(): ?string
    {
        return config('agent-workers.effects.connection');
    }

    public function up(): void
    {
        Schema::connection($this->getConnection())->create(self::table(), static function (Blueprint $table): void {
            $table->char('effect_key', 64)->primary();
            $table->string('tool', 64);
            $table->longText('content')->nullable(); // null only within the transaction that fills it
            $table->timestamp('created_at')->nullable()->index();
        });
    }

    public function down(): void
    {
        Schema::connection($this->getConnection())->dropIfExists(self::table());
    }

    private static function table(): string
    {
        return (string) config('agent-workers.effects.table', 'agent_effects');
    }
};
