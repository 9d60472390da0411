<?php

declare(strict_types=1);

namespace App\Models;

use Illuminate\Database\Eloquent\Model;
use Illuminate\Database\Eloquent\Relations\BelongsTo;

/**
 * What a skill has said of a partner.
 *
 * @property string $partner_id
 * @property string $skill
 * @property string|null $skill_version
 * @property string $run
 * @property array<string, mixed> $input what the evidence points into
 * @property array<string, mixed> $output
 * @property bool $needs_review
 * @property float|null $cost_usd
 * @property \Illuminate\Support\Carbon $computed_at
 * @property-read Partner $partner
 */
final class AiInsight extends Model
{
    /** @var bool */
    public $timestamps = false;

    /** @var array<int, string>|bool */
    protected $guarded = [];

    /** @var array<string, string> */
    protected $casts = [
        'input' => 'array', 'output' => 'array', 'needs_review' => 'boolean', 'cost_usd' => 'float',
        'computed_at' => 'datetime',
    ];

    public function partner(): BelongsTo
    {
        return $this->belongsTo(Partner::class);
    }
}
