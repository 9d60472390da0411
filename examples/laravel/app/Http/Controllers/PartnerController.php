<?php

declare(strict_types=1);

namespace App\Http\Controllers;

use AgentWorkers\Event\Done;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Event\Event;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\PendingRun;
use App\Health\PartnerCard;
use App\Health\PartnerHealth;
use App\Models\Partner;
use Illuminate\Contracts\View\View;
use Illuminate\Database\Eloquent\Collection;
use Illuminate\Support\Facades\Lang;

final class PartnerController
{
    /** @var list<string> that need care come first, those of which nothing is known last */
    private const ORDER = ['at_risk', 'watch', 'healthy'];

    public function index(): View
    {
        $place = static fn (Partner $partner): array => [
            array_search($partner->metrics->health_status ?? '', [...self::ORDER, ''], true),
            $partner->metrics->health_score,
            $partner->name,
        ];
        $partners = Partner::with('metrics', 'insight')->get()->sortBy($place)->values();

        return view('partners', [
            'cards' => $partners->map(static fn (Partner $partner): PartnerCard => new PartnerCard($partner)),
            'counts' => self::counts($partners),
            'words' => Lang::getLoader()->load(Lang::getLocale(), '*', '*'), // partners.js looks its own up there
        ]);
    }

    /** One partner, for the page that has watched how its health was computed. */
    public function show(Partner $partner): View
    {
        return view('partner', ['card' => new PartnerCard($partner)]);
    }

    /** Streams the run to the page. What comes of it is stored before the page learns of it, and also if the page has gone. */
    public function health(Partner $partner, PartnerHealth $health): PendingRun
    {
        $input = $health->input($partner);

        return $health->run($partner, $input)->onEvent(static function (Event $event) use ($health, $partner, $input): void {
            match (true) {
                $event instanceof Done => $health->store($partner->id, $input, $event),
                $event instanceof ErrorEvent => $health->failed($partner->id, Agent::words($event)),
                default => null,
            };
        });
    }

    /**
     * @param Collection<int, Partner> $partners
     *
     * @return array<string, array{int, string}> with what they are called, by the selector of the cards that are counted
     */
    private static function counts(Collection $partners): array
    {
        $with = static fn (?string $status): int => $partners->filter(
            static fn (Partner $partner): bool => $partner->metrics->health_status === $status,
        )->count();
        $isUnsure = static fn (Partner $partner): bool => $partner->insight?->needs_review ?? false;

        return [
            '.at_risk' => [$with('at_risk'), __('at risk')],
            '.watch' => [$with('watch'), __('to watch')],
            '.healthy' => [$with('healthy'), __('healthy')],
            '.review' => [$partners->filter($isUnsure)->count(), __('to review')],
            '.unknown' => [$with(null), __('not computed')],
        ];
    }
}
