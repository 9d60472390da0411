<?php

declare(strict_types=1);

namespace App\Health;

use AgentWorkers\Batch\BatchResult;
use AgentWorkers\Event\Done;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\PendingRun;
use AgentWorkers\Request;
use App\Events\AgentInsightCreated;
use App\Models\AiInsight;
use App\Models\Partner;
use App\Models\PartnerMetrics;
use App\Models\PartnerNote;
use Illuminate\Contracts\Events\Dispatcher;
use Illuminate\Database\ConnectionInterface;

/** The health of partners, as the skill partner-health judges it. */
final class PartnerHealth
{
    public const SKILL = 'partner-health';

    public function __construct(
        private readonly ConnectionInterface $database,
        private readonly Dispatcher $events,
    ) {
    }

    /** @return array<string, mixed> what a skill gets of a partner */
    public function input(Partner $partner): array
    {
        $isKnown = static fn (mixed $value): bool => $value !== null;
        $note = static fn (PartnerNote $note): array => array_filter(
            ['date' => $note->date->toDateString(), 'author' => $note->author, 'text' => $note->text],
            $isKnown,
        );

        return [
            'partner' => array_filter($partner->only(['id', 'name', 'tier', 'region']), $isKnown),
            'metrics' => (object) $partner->metrics->figures(),
            'notes' => $partner->notes->map($note)->all(),
            'as_of' => $partner->metrics->as_of->toDateString(),
        ];
    }

    /** @param array<string, mixed> $input */
    public function run(Partner $partner, array $input, string $skill = self::SKILL): PendingRun
    {
        return Agent::skill($skill, $input)
            ->subject('partner', $partner->id)
            ->goal('Keep the partner, and grow with it.');
    }

    /**
     * One of many. Its id is of this recomputation and this partner, for what has come of it is stored by its id, once.
     *
     * @param array<string, mixed> $input
     * @param string $runs what the ids of the recomputation's runs begin with
     */
    public function oneOfMany(Partner $partner, array $input, string $engine, string $runs): PendingRun
    {
        return $this->run($partner, $input)
            ->engine($engine)
            ->configure(static fn (Request $request): Request => $request->run("$runs-$partner->id"));
    }

    /**
     * Stores what has come of a run: the insight and the partner's figures together, or neither. Then tells the other
     * modules. The same result a second time changes nothing.
     *
     * @param array<string, mixed> $input what the run was given
     */
    public function store(string $partner, array $input, Done|BatchResult $result): void
    {
        $insight = $this->database->transaction(function () use ($partner, $input, $result): AiInsight {
            $insight = AiInsight::query()->firstOrCreate(['run' => $result->run], [
                'partner_id' => $partner,
                'skill' => $result->skill ?? self::SKILL,
                'skill_version' => $result->skillVersion,
                'input' => $input,
                'output' => $result->output,
                'needs_review' => $result->needsReview ?? false,
                'cost_usd' => $result->costUsd,
                'computed_at' => now(),
            ]);
            $this->note($partner, [
                'health_score' => $result->output['score'],
                'health_status' => $result->output['status'],
                'health_at' => $insight->computed_at,
                'health_error' => null,
            ]);

            return $insight;
        });
        if ($insight->wasRecentlyCreated) {
            $this->events->dispatch(new AgentInsightCreated($insight));
        }
    }

    /**
     * Stores what has come of one of a batch.
     *
     * @param array<string, mixed> $input what it was given
     *
     * @return string|null why it has failed
     */
    public function take(string $partner, array $input, BatchResult $result): ?string
    {
        if ($result->isDone()) {
            $this->store($partner, $input, $result);

            return null;
        }
        if ($result->error !== null) {
            $this->failed($partner, Agent::words($result->error));
        }

        return $result->error->message ?? 'It was stopped.';
    }

    /** Notes that the health could not be computed. What was known before stays. */
    public function failed(string $partner, string $message): void
    {
        $this->note($partner, ['health_error' => mb_substr($message, 0, 250)]);
    }

    /** @param array<string, mixed> $values */
    private function note(string $partner, array $values): void
    {
        PartnerMetrics::query()->firstOrNew(['partner_id' => $partner], ['as_of' => now()])->fill($values)->save();
    }
}
