<?php

declare(strict_types=1);

namespace App\Providers;

use AgentWorkers\Laravel\Facades\Agent;
use App\Tools\FindPartner;
use Illuminate\Support\ServiceProvider;

final class ToolServiceProvider extends ServiceProvider
{
    /** Registers the tool. Each run names the tools that it may use. */
    public function boot(): void
    {
        Agent::tool(FindPartner::class);
    }
}
