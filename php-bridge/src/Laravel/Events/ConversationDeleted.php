<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Events;

/** A conversation is gone, with what was said in it. */
final class ConversationDeleted extends ConversationEvent
{
    /** @param string|null $session that its agent had, whose files on this machine have gone, too */
    public function __construct(string $conversation, public readonly ?string $session = null)
    {
        parent::__construct($conversation);
    }
}
