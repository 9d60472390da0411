<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

/**
 * What came of an answer to a question, as an HTTP status.
 *
 * @internal
 */
enum Approval: int
{
    case Taken = 204;
    /** There is no such question, or it is somebody else's: nobody may learn which. */
    case Unknown = 404;
    /** It is answered already or has expired, or the run has ended. */
    case Over = 410;
}
