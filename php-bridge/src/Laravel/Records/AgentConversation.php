<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use Illuminate\Database\Eloquent\Builder;
use Illuminate\Database\Eloquent\Relations\HasMany;

/**
 * A conversation, or a single run that belongs to none.
 *
 * @property string $id
 * @property string|null $session_id
 * @property string|null $owner the application's id of the user
 * @property string|null $tenant
 * @property array{type: string, id: string}|null $subject
 * @property string|null $title the first line of the first question
 * @property string $worker
 * @property string|null $engine
 * @property list<string>|null $tools those that its last run was offered
 * @property \Carbon\CarbonImmutable $created_at
 * @property \Carbon\CarbonImmutable $updated_at
 */
final class AgentConversation extends Record
{
    protected const NAME = 'agent_conversations';

    /** @var bool */
    public $incrementing = false;

    /** @var string */
    protected $keyType = 'string';

    /** @var array<string, string> */
    protected $casts = [
        'subject' => 'array', 'tools' => 'array', 'title' => Text::class,
        'created_at' => UtcTime::class, 'updated_at' => UtcTime::class,
    ];

    /** @return HasMany<AgentRun> */
    public function runs(): HasMany
    {
        return $this->hasMany(AgentRun::class, 'conversation_id')->orderBy('started_at')->orderBy('id');
    }

    /**
     * Those in which a worker has answered, or is to answer: a person's tool may have run there last.
     *
     * @param Builder<self> $query
     * @param string $program such as agent-chat
     *
     * @return Builder<self>
     */
    public function scopeAnsweredBy(Builder $query, string $program): Builder
    {
        $runs = static fn (Builder $runs): Builder => $runs->where('worker', $program);

        return $query->where(static fn (Builder $inner): Builder
            => $inner->where('worker', $program)->orWhereHas('runs', $runs));
    }

    /** @return HasMany<AgentMessage> what was said, in no order: that of a run is its own */
    public function messages(): HasMany
    {
        return $this->hasMany(AgentMessage::class, 'conversation_id');
    }
}
