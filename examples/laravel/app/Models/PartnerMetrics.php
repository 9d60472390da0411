<?php

declare(strict_types=1);

namespace App\Models;

use Illuminate\Database\Eloquent\Model;

/**
 * What was measured of a partner last, and the health that follows from it.
 *
 * @property \Illuminate\Support\Carbon $as_of
 * @property float|null $health_score
 * @property string|null $health_status
 * @property \Illuminate\Support\Carbon|null $health_at
 * @property string|null $health_error
 */
final class PartnerMetrics extends Model
{
    /** What a skill gets of it: each column is a property of its input. */
    public const FIGURES = [
        'period', 'revenue_eur', 'revenue_target_eur', 'revenue_growth_pct', 'pipeline_eur', 'deal_registrations',
        'deal_registrations_previous', 'deals_won', 'deals_lost', 'certified_people', 'certified_people_required',
        'certifications_expiring_90d', 'csat', 'csat_responses', 'nps', 'renewal_rate_pct', 'open_tickets',
        'open_escalations', 'mdf_granted_eur', 'mdf_used_eur', 'invoices_overdue_days', 'last_contact_on',
    ];

    /** @var bool */
    public $incrementing = false;

    /** @var bool */
    public $timestamps = false;

    /** @var string */
    protected $primaryKey = 'partner_id';

    /** @var string */
    protected $keyType = 'string';

    /** @var array<int, string>|bool */
    protected $guarded = [];

    /** @var array<string, string> */
    protected $casts = [
        'as_of' => 'date', 'revenue_eur' => 'float', 'revenue_target_eur' => 'float', 'revenue_growth_pct' => 'float',
        'pipeline_eur' => 'float', 'deal_registrations' => 'int', 'deal_registrations_previous' => 'int',
        'deals_won' => 'int', 'deals_lost' => 'int', 'certified_people' => 'int', 'certified_people_required' => 'int',
        'certifications_expiring_90d' => 'int', 'csat' => 'float', 'csat_responses' => 'int', 'nps' => 'float',
        'renewal_rate_pct' => 'float', 'open_tickets' => 'int', 'open_escalations' => 'int', 'mdf_granted_eur' => 'float',
        'mdf_used_eur' => 'float', 'invoices_overdue_days' => 'int', 'health_score' => 'float', 'health_at' => 'datetime',
    ];

    /** @return array<string, mixed> what is known */
    public function figures(): array
    {
        return array_filter($this->only(self::FIGURES), static fn (mixed $value): bool => $value !== null);
    }
}
