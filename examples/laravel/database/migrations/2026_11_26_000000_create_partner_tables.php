<?php

declare(strict_types=1);

use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Database\Schema\ColumnDefinition;
use Illuminate\Support\Facades\Schema;

return new class extends Migration {
    public function up(): void
    {
        Schema::create('partners', static function (Blueprint $table): void {
            $table->string('id')->primary();
            $table->string('name');
            $table->string('tier')->nullable();
            $table->string('region')->nullable();
            $table->timestamps();
        });
        Schema::create('partner_notes', static function (Blueprint $table): void {
            $table->id();
            self::ofPartner($table)->index();
            $table->date('date');
            $table->string('author')->nullable();
            $table->text('text');
        });
        // What was measured of a partner last, and the health that follows from it.
        Schema::create('partner_metrics', static function (Blueprint $table): void {
            self::ofPartner($table)->primary();
            $table->date('as_of');
            $table->string('period')->nullable();
            foreach (['revenue', 'revenue_target', 'pipeline', 'mdf_granted', 'mdf_used'] as $money) {
                $table->decimal("{$money}_eur", 14, 2)->nullable();
            }
            foreach (['revenue_growth_pct', 'renewal_rate_pct', 'csat', 'nps'] as $figure) {
                $table->decimal($figure, 8, 2)->nullable();
            }
            foreach (
                [
                    'deal_registrations', 'deal_registrations_previous', 'deals_won', 'deals_lost', 'certified_people',
                    'certified_people_required', 'certifications_expiring_90d', 'csat_responses', 'open_tickets',
                    'open_escalations', 'invoices_overdue_days',
                ] as $count
            ) {
                $table->unsignedInteger($count)->nullable();
            }
            $table->date('last_contact_on')->nullable();
            $table->decimal('health_score', 4, 3)->nullable();
            $table->string('health_status')->nullable();
            $table->timestamp('health_at')->nullable()->index();
            // Why the last try has failed; null where it has not.
            $table->string('health_error')->nullable();
        });
        Schema::create('ai_insights', static function (Blueprint $table): void {
            $table->id();
            self::ofPartner($table)->index();
            $table->string('skill');
            $table->string('skill_version')->nullable();
            // However often a result is stored, it is there once.
            $table->string('run')->unique();
            // What the evidence of the output points into.
            $table->json('input');
            $table->json('output');
            $table->boolean('needs_review')->default(false);
            $table->decimal('cost_usd', 10, 6)->nullable();
            $table->timestamp('computed_at');
            $table->index(['partner_id', 'computed_at']);
        });
        // Since when the insights of a recomputation count; it is gone on with until it has an end.
        Schema::create('recomputations', static function (Blueprint $table): void {
            $table->id();
            $table->timestamp('since');
            $table->timestamp('ended_at')->nullable();
        });
        // What a recomputation has sent to the economy lane, until its end.
        Schema::create('health_requests', static function (Blueprint $table): void {
            $table->id();
            $table->foreignId('recomputation_id')->constrained();
            self::ofPartner($table);
            $table->longText('request');
            $table->timestamp('kept_at');
            $table->timestamp('settled_at')->nullable();
            $table->unique(['recomputation_id', 'partner_id']);
        });
    }

    private static function ofPartner(Blueprint $table): ColumnDefinition
    {
        $column = $table->string('partner_id');
        $table->foreign('partner_id')->references('id')->on('partners');

        return $column;
    }

    public function down(): void
    {
        foreach (['health_requests', 'recomputations', 'ai_insights', 'partner_metrics', 'partner_notes', 'partners'] as $table) {
            Schema::dropIfExists($table);
        }
    }
};
