<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Events;

/** A conversation is recorded that was not there before: by its first run, or because somebody asked for it. */
final class ConversationCreated extends ConversationEvent
{
    /** @param string|null $run the run that began it, if one did */
    public function __construct(string $conversation, public readonly ?string $run = null)
    {
        parent::__construct($conversation);
    }
}
