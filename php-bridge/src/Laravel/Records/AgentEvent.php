<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use Illuminate\Database\Eloquent\Relations\BelongsTo;

/**
 * An event that is kept as such: of a run, or of the application itself, which names what it is about in
 * `aggregate_id`.
 *
 * @property int $id
 * @property string|null $run_id
 * @property int|null $attempt
 * @property int|null $seq
 * @property string|null $aggregate_id
 * @property string $type
 * @property array<string, mixed> $payload
 * @property \Carbon\CarbonImmutable $at
 */
final class AgentEvent extends Record
{
    protected const NAME = 'agent_events';

    /** @var array<string, string> */
    protected $casts = [
        'attempt' => 'integer', 'seq' => 'integer', 'payload' => Content::class, 'at' => UtcTime::class,
    ];

    /** @return BelongsTo<AgentRun, self> */
    public function run(): BelongsTo
    {
        return $this->belongsTo(AgentRun::class, 'run_id');
    }
}
