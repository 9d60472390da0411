<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Events;

/** Something that happened to a recorded conversation. What a listener throws is reported. */
abstract class ConversationEvent
{
    /** @param string $conversation its id, by which `AgentConversation::find()` has it */
    public function __construct(public readonly string $conversation)
    {
    }
}
