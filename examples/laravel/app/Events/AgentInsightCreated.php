<?php

declare(strict_types=1);

namespace App\Events;

use App\Models\AiInsight;

/** Something new is known of a partner. It is in the database when this is dispatched: other modules listen to it. */
final class AgentInsightCreated
{
    public function __construct(public readonly AiInsight $insight)
    {
    }
}
