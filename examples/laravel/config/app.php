<?php

declare(strict_types=1);

return [
    'name' => 'agent-workers example',
    'env' => env('APP_ENV', 'production'),
    'debug' => (bool) env('APP_DEBUG', false),
    'url' => env('APP_URL', 'http://localhost'),
    'timezone' => 'UTC',
    'locale' => 'en',
    'fallback_locale' => 'en',
    'key' => env('APP_KEY'),
    'cipher' => 'AES-256-CBC',
    'providers' => [
        Illuminate\Auth\AuthServiceProvider::class,
        Illuminate\Bus\BusServiceProvider::class,
        Illuminate\Cache\CacheServiceProvider::class,
        Illuminate\Cookie\CookieServiceProvider::class,
        Illuminate\Database\DatabaseServiceProvider::class,
        Illuminate\Encryption\EncryptionServiceProvider::class,
        Illuminate\Filesystem\FilesystemServiceProvider::class,
        Illuminate\Foundation\Providers\ConsoleSupportServiceProvider::class,
        Illuminate\Foundation\Providers\FoundationServiceProvider::class,
        Illuminate\Hashing\HashServiceProvider::class,
        Illuminate\Queue\QueueServiceProvider::class,
        Illuminate\Session\SessionServiceProvider::class,
        Illuminate\Translation\TranslationServiceProvider::class,
        Illuminate\Validation\ValidationServiceProvider::class,
        Illuminate\View\ViewServiceProvider::class,
        // Composer would discover this one by itself.
        AgentWorkers\Laravel\AgentWorkersServiceProvider::class,
        App\Providers\EventServiceProvider::class,
        App\Providers\FleetServiceProvider::class,
        App\Providers\GatewayServiceProvider::class,
        App\Providers\RecordsServiceProvider::class,
        App\Providers\RouteServiceProvider::class,
        App\Providers\RunsServiceProvider::class,
        App\Providers\ToolServiceProvider::class,
    ],
    'aliases' => [],
];
