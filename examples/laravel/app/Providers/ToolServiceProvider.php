<?php

declare(strict_types=1);

namespace App\Providers;

use AgentWorkers\Laravel\Facades\Agent;
use App\Tools\FindPartner;
use Illuminate\Support\ServiceProvider;

final class ToolServiceProvider extends ServiceProvider
{
    /** Makes the tool known. Which runs may use it is said where they begin. */
    public function boot(): void
    {
        Agent::tool(FindPartner::class);
    }
}
