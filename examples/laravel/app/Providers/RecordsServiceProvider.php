<?php

declare(strict_types=1);

namespace App\Providers;

use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Support\Facades\Gate;
use Illuminate\Support\ServiceProvider;

final class RecordsServiceProvider extends ServiceProvider
{
    /**
     * Who may see what all people asked, and what it has cost: in your application, such as `$user?->is_operator`. Nobody
     * is signed in here, so it is whoever reaches an application that runs on its developer's machine.
     */
    public function boot(): void
    {
        Gate::define('see-records', static fn (?Authenticatable $user): bool => app()->environment('local'));
    }
}
