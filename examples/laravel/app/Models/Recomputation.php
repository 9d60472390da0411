<?php

declare(strict_types=1);

namespace App\Models;

use Illuminate\Database\Eloquent\Model;
use Illuminate\Database\Eloquent\Relations\HasMany;
use Illuminate\Support\Carbon;
use Illuminate\Support\Facades\DB;

/**
 * The recomputation of all partners: one that was killed, or whose answers are to come, is gone on with.
 *
 * @property Carbon $since what was computed before that is computed anew
 * @property Carbon|null $ended_at
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
    public static function current(?Carbon $since = null): self
    {
        $new = static fn (): self => self::create(['since' => $since ?? now()]);

        return self::query()->whereNull('ended_at')->firstOr($new);
    }

    /** What was sent to the economy lane, in the order in which it was. */
    public function requests(): HasMany
    {
        return $this->hasMany(HealthRequest::class);
    }

    /** What the ids of its runs begin with: over all of its starts the same, and no other's. */
    public function runs(): string
    {
        return "health-$this->id";
    }

    /** The file by which a later start knows what is out. */
    public function checkpoint(): string
    {
        return storage_path("app/{$this->runs()}.checkpoint");
    }

    /** A process that is killed meanwhile leaves nothing behind: all of the rows change or none, and the files go first. */
    public function end(): void
    {
        $this->forget();
        DB::transaction(function (): void {
            $this->requests()->delete();
            $this->update(['ended_at' => now()]);
        });
    }

    /** Forgets what was out. */
    public function forget(): void
    {
        foreach (['', '.taken'] as $part) {
            @unlink($this->checkpoint() . $part);
        }
    }
}
