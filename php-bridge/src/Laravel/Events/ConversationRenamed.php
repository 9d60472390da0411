<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Events;

/** A person has given a conversation another title. */
final class ConversationRenamed extends ConversationEvent
{
    public function __construct(string $conversation, public readonly string $title)
    {
        parent::__construct($conversation);
    }
}
