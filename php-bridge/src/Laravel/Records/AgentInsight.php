<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use Illuminate\Database\Eloquent\Relations\BelongsTo;

/**
 * What a skill has found: `AgentInsight::where('subject_key', 'partner:7')`.
 *
 * @property int $id
 * @property string $run_id
 * @property string $skill
 * @property string|null $skill_version
 * @property array{type: string, id: string}|null $subject
 * @property string|null $subject_key the subject as `type:id`
 * @property mixed $output
 * @property mixed $needs_review
 * @property \Carbon\CarbonImmutable $created_at
 */
final class AgentInsight extends Record
{
    protected const NAME = 'agent_insights';

    /** @var array<string, string> */
    protected $casts = [
        'subject' => 'array', 'output' => Content::class, 'needs_review' => 'json', 'created_at' => UtcTime::class,
    ];

    /** @return BelongsTo<AgentRun, self> */
    public function run(): BelongsTo
    {
        return $this->belongsTo(AgentRun::class, 'run_id');
    }
}
