<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Gateway;

use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\Done;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Gateway\Webhook;
use AgentWorkers\Laravel\Agents;
use AgentWorkers\Laravel\Events\Announcer;
use AgentWorkers\Laravel\Events\RunEnded;
use AgentWorkers\Laravel\Events\WebhookReceived;
use Illuminate\Contracts\Events\Dispatcher;

/**
 * What comes of a webhook: the run's record, and events for the application's listeners.
 *
 * @internal
 */
final class WebhookEffects
{
    public function __construct(
        private readonly WebhookRecords $records,
        private readonly Dispatcher $events,
        private readonly Announcer $announcer,
        private readonly Agents $agents,
    ) {
    }

    /** @throws \Throwable what a listener of WebhookReceived throws: then the gateway tells it again */
    public function of(Webhook $webhook): void
    {
        $this->records->write($webhook);
        $worker = $this->agents->nameOf($webhook->worker);
        $this->events->dispatch(new WebhookReceived($webhook, $worker));
        $event = $webhook->event;
        $hasEnded = $event instanceof Done || $event instanceof ErrorEvent || $event instanceof Aborted;
        if (!$hasEnded || !$webhook->isEnded()) {
            return;
        }
        $this->announcer->ended(new RunEnded(
            $webhook->run,
            $worker,
            $webhook->user,
            $webhook->subject,
            $webhook->goal,
            $webhook->metadata,
            $event->type,
            $event,
            $webhook->usage,
            $webhook->costUsd,
            is_int($event->data['duration_ms'] ?? null) ? $event->data['duration_ms'] : null,
        ));
    }
}
