<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use Illuminate\Database\Eloquent\Relations\BelongsTo;

/**
 * Tokens and cost of a run, a row for each model.
 *
 * @property int $id
 * @property string $run_id
 * @property int $turn 0 for the whole run
 * @property string $model empty where it is unknown
 * @property int|null $input_tokens
 * @property int|null $output_tokens
 * @property int|null $cache_read_input_tokens
 * @property int|null $cache_creation_input_tokens
 * @property float|null $cost_usd an estimate
 * @property string|null $user
 * @property string|null $tenant
 * @property string|null $skill
 * @property \Carbon\CarbonImmutable $at
 */
final class AgentUsage extends Record
{
    protected const NAME = 'agent_usage';

    /** @var array<string, string> */
    protected $casts = [
        'turn' => 'integer', 'input_tokens' => 'integer', 'output_tokens' => 'integer',
        'cache_read_input_tokens' => 'integer', 'cache_creation_input_tokens' => 'integer', 'cost_usd' => 'float',
        'at' => UtcTime::class,
    ];

    /** @return BelongsTo<AgentRun, self> */
    public function run(): BelongsTo
    {
        return $this->belongsTo(AgentRun::class, 'run_id');
    }
}
