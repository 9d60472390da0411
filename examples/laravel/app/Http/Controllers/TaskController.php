<?php

declare(strict_types=1);

namespace App\Http\Controllers;

use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Http\ChatRequest;
use AgentWorkers\Laravel\PendingRun;
use App\TaskFolder;

final class TaskController
{
    private const TOOLS = ['Read', 'Glob', 'Grep', 'Edit', 'Write', 'Bash'];

    /**
     * An agent with tools, whose output is shown while they run. The agent may ask the visitor what is unclear, and asks
     * before any call that does more than read in its folder, of which the visitor sees the files, and not where it is.
     */
    public function __invoke(ChatRequest $request, TaskFolder $folder): PendingRun
    {
        return Agent::task($request, $folder->of($request->session()->getId()))
            ->tools(self::TOOLS)
            ->appTools('find_partner')
            ->toolOutput()
            ->questions()
            ->askVisitor()
            ->hideFolder();
    }
}
