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

    /** An agent with tools. Before any call that does more than read in its folder, the visitor is asked. */
    public function __invoke(ChatRequest $request, TaskFolder $folder): PendingRun
    {
        return Agent::task($request, $folder->of($request->session()->getId()))
            ->tools(self::TOOLS)
            ->appTools('find_partner')
            ->askVisitor();
    }
}
