<?php

declare(strict_types=1);

namespace App\Providers;

use AgentWorkers\Laravel\Facades\Agent;
use App\Tools\FindPartner;
use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Support\ServiceProvider;

final class ToolServiceProvider extends ServiceProvider
{
    private const SEARCH = ['type' => 'object', 'properties' => ['q' => ['type' => 'string']], 'required' => ['q']];

    /**
     * Registers the tool; each run names the tools that it may use. Then says what people may run from the chat themselves,
     * without the agent.
     */
    public function boot(): void
    {
        Agent::tool(FindPartner::class);
        Agent::allowCommand('find_partner', true);
        Agent::allowCommand('crm.search', true, self::SEARCH);
        Agent::allowCommand('crm.list_partners', static fn (?Authenticatable $user): bool => $user !== null);
    }
}
