<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use Illuminate\Database\Eloquent\Relations\BelongsTo;
use Illuminate\Database\Eloquent\Relations\HasMany;
use Illuminate\Database\Eloquent\Relations\HasOne;

/**
 * A run: who had what run, and what it came to.
 *
 * @property string $id
 * @property string|null $conversation_id
 * @property string $worker
 * @property string|null $worker_version
 * @property string|null $skill
 * @property string|null $skill_version
 * @property string|null $user
 * @property string|null $tenant
 * @property array{type: string, id: string}|null $subject
 * @property string|null $goal
 * @property string|null $model
 * @property string|null $session_id
 * @property string $status running, done, error or aborted
 * @property string|null $code of an error, or why it was aborted
 * @property string|null $stop_reason
 * @property int $attempts
 * @property int $last_seq number of the last event of the last attempt
 * @property \Carbon\CarbonImmutable $started_at
 * @property \Carbon\CarbonImmutable|null $first_delta_at
 * @property \Carbon\CarbonImmutable|null $ended_at
 * @property int|null $duration_ms
 * @property int|null $turns
 * @property float|null $cost_usd an estimate
 * @property string|null $traceparent
 * @property bool $simulated
 * @property string|null $chain_head SHA-256 of its last line, where its lines are chained
 */
final class AgentRun extends Record
{
    protected const NAME = 'agent_runs';

    /** @var bool */
    public $incrementing = false;

    /** @var string */
    protected $keyType = 'string';

    /** @var array<string, string> */
    protected $casts = [
        'subject' => 'array', 'goal' => Text::class, 'attempts' => 'integer', 'last_seq' => 'integer',
        'started_at' => UtcTime::class, 'first_delta_at' => UtcTime::class, 'ended_at' => UtcTime::class,
        'duration_ms' => 'integer', 'turns' => 'integer', 'cost_usd' => 'float', 'simulated' => 'boolean',
    ];

    /** @return BelongsTo<AgentConversation, self> */
    public function conversation(): BelongsTo
    {
        return $this->belongsTo(AgentConversation::class, 'conversation_id');
    }

    /** @return HasMany<AgentMessage> in the order of what was said */
    public function messages(): HasMany
    {
        return $this->hasMany(AgentMessage::class, 'run_id')->orderBy('attempt')->orderBy('seq')->orderBy('id');
    }

    /** @return HasMany<AgentUsage> */
    public function usage(): HasMany
    {
        return $this->hasMany(AgentUsage::class, 'run_id')->orderBy('turn')->orderBy('model');
    }

    /** @return HasMany<AgentEvent> */
    public function events(): HasMany
    {
        return $this->hasMany(AgentEvent::class, 'run_id')->orderBy('attempt')->orderBy('seq')->orderBy('id');
    }

    /** @return HasOne<AgentInsight> */
    public function insight(): HasOne
    {
        return $this->hasOne(AgentInsight::class, 'run_id');
    }
}
