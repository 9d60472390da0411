<?php

declare(strict_types=1);

namespace App\Models;

use Illuminate\Database\Eloquent\Model;

/**
 * @property \Illuminate\Support\Carbon $date
 * @property string|null $author
 * @property string $text
 */
final class PartnerNote extends Model
{
    /** @var bool */
    public $timestamps = false;

    /** @var array<int, string>|bool */
    protected $guarded = [];

    /** @var array<string, string> */
    protected $casts = ['date' => 'date'];
}
