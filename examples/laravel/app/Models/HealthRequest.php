<?php

declare(strict_types=1);

namespace App\Models;

use Illuminate\Database\Eloquent\Model;

/**
 * What was asked of a partner, until its recomputation has ended.
 *
 * @property string $partner_id
 * @property string $request as JSON
 * @property \Illuminate\Support\Carbon $kept_at
 * @property \Illuminate\Support\Carbon|null $settled_at when its result was stored
 */
final class HealthRequest extends Model
{
    /** @var bool */
    public $timestamps = false;

    /** @var array<int, string>|bool */
    protected $guarded = [];

    /** @var array<string, string> */
    protected $casts = ['kept_at' => 'datetime', 'settled_at' => 'datetime'];

    /** @return array<string, mixed> */
    public function input(): array
    {
        return json_decode($this->request, true, 512, JSON_THROW_ON_ERROR)['input'];
    }
}
