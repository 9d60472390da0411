<?php

declare(strict_types=1);

namespace App\Listeners;

use App\Events\AgentInsightCreated;
use Psr\Log\LoggerInterface;

/** A module of its own: it hears of partners that need care. A real one would write to the account manager. */
final class AskForCare
{
    public function __construct(private readonly LoggerInterface $log)
    {
    }

    public function handle(AgentInsightCreated $event): void
    {
        $output = $event->insight->output;
        if (($output['status'] ?? null) !== 'at_risk' && !$event->insight->needs_review) {
            return;
        }
        $this->log->notice('A partner needs care.', [
            'partner' => $event->insight->partner_id,
            'score' => $output['score'] ?? null,
            'needs_review' => $event->insight->needs_review,
            'first_action' => $output['actions'][0]['title'] ?? null,
        ]);
    }
}
