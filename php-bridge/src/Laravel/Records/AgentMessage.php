<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use Illuminate\Database\Eloquent\Relations\BelongsTo;

/**
 * Something that was said or done in a run: the question, a text of the answer, a tool's call or result, a decision.
 *
 * @property int $id
 * @property string $run_id
 * @property string|null $conversation_id
 * @property int $attempt
 * @property int $seq 0 for the question; else the number of the event that completed it
 * @property string $role user, assistant or tool
 * @property string $kind question, text, tool_call, tool_result, permission or steer
 * @property mixed $content null where the operator keeps none
 * @property string|null $name of the tool
 * @property string|null $tool_use_id
 * @property string|null $status
 * @property string|null $actor
 * @property \Carbon\CarbonImmutable $created_at
 */
final class AgentMessage extends Record
{
    protected const NAME = 'agent_messages';

    /** @var array<string, string> */
    protected $casts = [
        'attempt' => 'integer', 'seq' => 'integer', 'content' => Content::class, 'created_at' => UtcTime::class,
    ];

    /** @return BelongsTo<AgentRun, self> */
    public function run(): BelongsTo
    {
        return $this->belongsTo(AgentRun::class, 'run_id');
    }
}
