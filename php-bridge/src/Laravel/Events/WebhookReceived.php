<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Events;

use AgentWorkers\Gateway\Webhook;

/**
 * The gateway has told of a run: that it has ended, or that it asks somebody. Dispatched once for each webhook; where a
 * listener throws, the gateway is answered with a failure and tells it again.
 */
final class WebhookReceived extends RunEvent
{
    /** @param string $worker its name in config/agent-workers.php; that of its program, where it has none there */
    public function __construct(public readonly Webhook $webhook, string $worker)
    {
        parent::__construct(
            $webhook->run,
            $worker,
            $webhook->user,
            $webhook->subject,
            $webhook->goal,
            $webhook->metadata,
        );
    }
}
