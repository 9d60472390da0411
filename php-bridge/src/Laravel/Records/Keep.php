<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

/** How much of a run is written. */
enum Keep: string
{
    case Everything = 'everything';
    /** All but what tools were given and gave back. */
    case NoTools = 'no-tools';
    /** Nothing that was said: names, numbers and times alone. */
    case Metadata = 'metadata';
}
