<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Gateway;

use AgentWorkers\Event\Event;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Gateway\Webhook;
use AgentWorkers\Laravel\Records\AgentRun;
use AgentWorkers\Laravel\Records\Facts;
use AgentWorkers\Laravel\Records\Party;
use AgentWorkers\Laravel\Records\Recorder;
use AgentWorkers\Laravel\Records\UtcTime;

/**
 * Records the runs that the gateway tells of: what they came to, for what they said is not in a webhook.
 *
 * @internal
 */
final class WebhookRecords
{
    public function __construct(private readonly Recorder $recorder)
    {
    }

    public function write(Webhook $webhook): void
    {
        if (!$webhook->isEnded() || !$this->recorder->isOn()) {
            return;
        }
        $known = self::known($webhook);
        if ($known !== null && $known->last_seq >= $webhook->event->seq) {
            return; // whoever followed the run knows more of it
        }
        // A line that was read and written anew has another SHA-256 than the one that the head of the chain is of.
        $event = EventFactory::fromArray(array_diff_key($webhook->event->data, ['prev' => true]));
        $about = [
            'user' => $webhook->user,
            'subject' => $webhook->subject,
            'goal' => $webhook->goal,
            'skill' => $webhook->skill,
            'attempt' => $known?->attempts,
        ];
        $party = new Party($webhook->conversation, $webhook->user, $webhook->user, $webhook->tenant);
        $request = array_filter($about, static fn (mixed $value): bool => $value !== null);
        $this->recorder->begin(
            new Facts(
                $webhook->run,
                self::begin($event),
                $request,
                $webhook->worker,
                $party,
                chainHead: $webhook->chainHead,
            ),
            [$event],
        );
    }

    private static function known(Webhook $webhook): ?AgentRun
    {
        try {
            return AgentRun::query()->whereKey($webhook->run)->first();
        } catch (\Throwable) {
            return null; // the database is away: what is written waits in the spool
        }
    }

    /** When the run began, as far as its end tells that. */
    private static function begin(Event $event): string
    {
        $end = new \DateTimeImmutable(UtcTime::of($event->ts) ?? UtcTime::now(), new \DateTimeZone('UTC'));
        $ms = $event->data['duration_ms'] ?? null;

        return UtcTime::format(is_int($ms) && $ms > 0 ? $end->modify("-$ms milliseconds") : $end);
    }
}
