<?php

declare(strict_types=1);

namespace App\Providers;

use App\Events\AgentInsightCreated;
use App\Listeners\AskForCare;
use Illuminate\Foundation\Support\Providers\EventServiceProvider as ServiceProvider;

final class EventServiceProvider extends ServiceProvider
{
    /** @var array<class-string, list<class-string>> */
    protected $listen = [AgentInsightCreated::class => [AskForCare::class]];
}
