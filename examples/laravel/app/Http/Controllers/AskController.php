<?php

declare(strict_types=1);

namespace App\Http\Controllers;

use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Http\ChatRequest;
use AgentWorkers\Laravel\PendingRun;

final class AskController
{
    /** Returns the run, and Laravel streams it to the browser. */
    public function __invoke(ChatRequest $request): PendingRun
    {
        return Agent::chat($request);
    }
}
