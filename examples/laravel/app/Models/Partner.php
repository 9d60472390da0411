<?php

declare(strict_types=1);

namespace App\Models;

use Illuminate\Database\Eloquent\Model;
use Illuminate\Database\Eloquent\Relations\HasMany;
use Illuminate\Database\Eloquent\Relations\HasOne;

/**
 * @property string $id
 * @property string $name
 * @property string|null $tier
 * @property string|null $region
 * @property-read \Illuminate\Support\Collection<int, PartnerNote> $notes
 * @property-read PartnerMetrics $metrics
 * @property-read AiInsight|null $insight
 */
final class Partner extends Model
{
    /** @var bool */
    public $incrementing = false;

    /** @var string */
    protected $keyType = 'string';

    /** @var array<int, string>|bool */
    protected $guarded = [];

    /** The newest first. */
    public function notes(): HasMany
    {
        return $this->hasMany(PartnerNote::class)->orderByDesc('date')->orderBy('id');
    }

    public function metrics(): HasOne
    {
        return $this->hasOne(PartnerMetrics::class)->withDefault(['as_of' => now()->startOfDay()]);
    }

    /** The latest one. */
    public function insight(): HasOne
    {
        return $this->hasOne(AiInsight::class)->latestOfMany('computed_at');
    }
}
