<?php

declare(strict_types=1);

namespace App\Providers;

use AgentWorkers\Laravel\Facades\Agent;
use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Support\Facades\Gate;
use Illuminate\Support\ServiceProvider;

final class FleetServiceProvider extends ServiceProvider
{
    /**
     * Chats and tasks run on the fleet, where AGENT_WORKERS_FLEET names its Redis. Who may operate it can read what was
     * asked, and stop every run: in your application, such as `$user?->is_operator`. Nobody is signed in here, so it is
     * whoever reaches an application that runs on its developer's machine.
     */
    public function boot(): void
    {
        config(['agent-workers.workers.chat.fleet' => true, 'agent-workers.workers.task.fleet' => true]);
        Agent::viewersUsing(static fn (?Authenticatable $user): bool => Gate::forUser($user)->allows('operate-fleet'));
        Gate::define('operate-fleet', static fn (?Authenticatable $user): bool => app()->environment('local'));
    }
}
