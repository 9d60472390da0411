<?php

declare(strict_types=1);

namespace App\Health;

use App\Models\AiInsight;
use App\Models\Partner;
use Illuminate\Support\Carbon;

/** A partner as the page shows it. Plain text: the view escapes it. */
final class PartnerCard
{
    private const WORDS = ['at_risk' => 'at risk', 'watch' => 'watch', 'healthy' => 'healthy'];
    private const OLD_DAYS = 7;
    private const WEIGHS = [
        'Counts against the partnership, from 0 to 1',
        'Counts neither way, from 0 to 1',
        'Counts for the partnership, from 0 to 1',
    ];

    public readonly string $id;
    public readonly string $name;
    public readonly string $facts;
    /** Why the last try has failed. */
    public readonly ?string $error;
    private readonly ?AiInsight $insight;
    /** @var array<string, mixed> */
    private readonly array $output;

    public function __construct(Partner $partner)
    {
        $this->id = $partner->id;
        $this->name = $partner->name;
        $this->facts = implode(' · ', array_filter([$partner->tier, $partner->region])) ?: __('no tier yet');
        $this->error = $partner->metrics->health_error;
        $this->insight = $partner->insight;
        $this->output = $partner->insight->output ?? [];
    }

    public function isComputed(): bool
    {
        return $this->insight !== null;
    }

    /** What the button says. */
    public function order(): string
    {
        return __($this->error !== null ? 'Try again' : ($this->isComputed() ? 'Recompute' : 'Compute'));
    }

    /** @return int|null from 0 to 100 */
    public function score(): ?int
    {
        return isset($this->output['score']) ? (int) round($this->output['score'] * 100) : null;
    }

    public function status(): string
    {
        return $this->output['status'] ?? 'unknown';
    }

    public function statusInWords(): string
    {
        return __(self::WORDS[$this->status()] ?? $this->status());
    }

    public function needsReview(): bool
    {
        return $this->insight->needs_review ?? false;
    }

    /** @return list<array{text: string, tone: string, title: string, weight: string, share: float, evidence: list<Evidence>}> */
    public function reasons(): array
    {
        return array_map(fn (array $reason): array => [
            'text' => $reason['text'],
            'tone' => ['against', 'neither', 'for'][($reason['weight'] <=> 0) + 1],
            'title' => __(self::WEIGHS[($reason['weight'] <=> 0) + 1]),
            'weight' => ['−', '', '+'][($reason['weight'] <=> 0) + 1] . number_format(abs($reason['weight']), 1),
            'share' => min(1.0, abs($reason['weight'])),
            'evidence' => $this->evidence($reason),
        ], $this->output['reasons'] ?? []);
    }

    /** @return list<array{title: string, owner: string, due: string, evidence: list<Evidence>}> */
    public function actions(): array
    {
        return array_map(fn (array $action): array => [
            'title' => $action['title'],
            'owner' => ucfirst(str_replace('_', ' ', $action['owner'])),
            'due' => $this->asOf()->addDays($action['due_in_days'])->translatedFormat('j M Y'),
            'evidence' => $this->evidence($action),
        ], $this->output['actions'] ?? []);
    }

    /** Such as `4 reasons, 1 action`. */
    public function contents(): string
    {
        return implode(', ', [
            trans_choice(':count reason|:count reasons', count($this->reasons())),
            trans_choice(':count action|:count actions', count($this->actions())),
        ]);
    }

    public function computedAt(): ?Carbon
    {
        return $this->insight?->computed_at;
    }

    public function isOld(): bool
    {
        return $this->insight?->computed_at->lt(now()->subDays(self::OLD_DAYS)) ?? false;
    }

    /** What it was made of, and how sure it is. */
    public function source(): string
    {
        return implode(' · ', array_filter([
            __('from figures of :date', ['date' => $this->asOf()->translatedFormat('j M Y')]),
            __('confidence :share %', ['share' => round(($this->output['confidence'] ?? 0) * 100)]),
            trim("{$this->insight?->skill} {$this->insight?->skill_version}"),
        ]));
    }

    private function asOf(): Carbon
    {
        return Carbon::parse($this->insight?->input['as_of']);
    }

    /**
     * @param array<string, mixed> $of
     *
     * @return list<Evidence>
     */
    private function evidence(array $of): array
    {
        $found = array_map(
            fn (string $pointer): Evidence => Evidence::of($pointer, $this->insight->input ?? []),
            $of['evidence'],
        );

        // A note's text and its date lead to the same note.
        $shown = static fn (Evidence $each): string => "$each->label $each->value";

        return collect($found)->unique($shown)->values()->all();
    }
}
