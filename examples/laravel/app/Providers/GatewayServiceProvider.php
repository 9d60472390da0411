<?php

declare(strict_types=1);

namespace App\Providers;

use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Gateway\PendingToken;
use Illuminate\Http\Request;
use Illuminate\Support\ServiceProvider;

final class GatewayServiceProvider extends ServiceProvider
{
    /**
     * A page may start the gateway's only preset for chats, one run with each token. Nobody is signed in here, so a run is
     * its browser session's. In your application look at the user, and leave `guests` out.
     */
    public function boot(): void
    {
        $gate = static fn (Request $request, PendingToken $token): PendingToken => $token->worker('chat')->once();
        Agent::gatewayTokens($gate, guests: true);
    }
}
