<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Events;

/** A run has begun: dispatched with its first event, also where that says that it failed. Not for requests of a batch. */
final class RunStarted extends RunEvent
{
}
