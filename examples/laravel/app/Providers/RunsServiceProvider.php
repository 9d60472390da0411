<?php

declare(strict_types=1);

namespace App\Providers;

use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Support\Facades\Gate;
use Illuminate\Support\ServiceProvider;

final class RunsServiceProvider extends ServiceProvider
{
    /**
     * Who of those that may see the records may stop a run, retry and drop it: in your application, such as
     * `$user?->is_operator`. Nobody is signed in here, so it is whoever reaches an application that runs on its
     * developer's machine.
     */
    public function boot(): void
    {
        Gate::define('operate-runs', static fn (?Authenticatable $user): bool => app()->environment('local'));
    }
}
