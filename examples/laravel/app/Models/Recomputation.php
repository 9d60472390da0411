<?php

declare(strict_types=1);

namespace App\Models;

use Illuminate\Database\Eloquent\Model;

/**
 * The recomputation of all partners: one that was killed is gone on with.
 *
 * @property \Illuminate\Support\Carbon $since what was computed before that is computed anew
 * @property \Illuminate\Support\Carbon|null $ended_at
 */
final class Recomputation extends Model
{
    /** @var bool */
    public $timestamps = false;

    /** @var array<int, string>|bool */
    protected $guarded = [];

    /** @var array<string, string> */
    protected $casts = ['since' => 'datetime', 'ended_at' => 'datetime'];

    /** Returns the one that was not ended, or a new one. */
    public static function current(): self
    {
        return self::query()->whereNull('ended_at')->firstOr(static fn (): self => self::create(['since' => now()]));
    }
}
