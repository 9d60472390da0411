<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Laravel\AgentWorkersServiceProvider;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Tests\TemporaryDirectory;
use Illuminate\Contracts\Console\Kernel as ConsoleKernelContract;
use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Contracts\Http\Kernel as HttpKernelContract;
use Illuminate\Foundation\Application;
use Illuminate\Foundation\Bootstrap\LoadConfiguration;
use Illuminate\Foundation\Console\Kernel as ConsoleKernel;
use Illuminate\Foundation\Exceptions\Handler;
use Illuminate\Foundation\Http\Kernel as HttpKernel;
use Illuminate\Foundation\Testing\TestCase as LaravelTestCase;
use Illuminate\Routing\Router;
use Illuminate\Session\Middleware\StartSession;
use Illuminate\Testing\TestResponse;

require_once __DIR__ . '/laravel.php';

/** A real Laravel application with nothing in it but the bridge. */
abstract class TestCase extends LaravelTestCase
{
    use TemporaryDirectory {
        directory as protected;
    }

    private const PROVIDERS = [
        \Illuminate\Auth\AuthServiceProvider::class,
        \Illuminate\Bus\BusServiceProvider::class,
        \Illuminate\Cache\CacheServiceProvider::class,
        \Illuminate\Cookie\CookieServiceProvider::class,
        \Illuminate\Database\DatabaseServiceProvider::class,
        \Illuminate\Encryption\EncryptionServiceProvider::class,
        \Illuminate\Filesystem\FilesystemServiceProvider::class,
        \Illuminate\Foundation\Providers\ConsoleSupportServiceProvider::class,
        \Illuminate\Foundation\Providers\FoundationServiceProvider::class,
        \Illuminate\Hashing\HashServiceProvider::class,
        \Illuminate\Queue\QueueServiceProvider::class,
        \Illuminate\Session\SessionServiceProvider::class,
        \Illuminate\Translation\TranslationServiceProvider::class,
        \Illuminate\Validation\ValidationServiceProvider::class,
        \Illuminate\View\ViewServiceProvider::class,
        AgentWorkersServiceProvider::class,
    ];

    public function createApplication(): Application
    {
        $base = $this->directory();
        foreach (['config', 'bootstrap/cache', 'storage/framework/views', 'storage/logs'] as $path) {
            mkdir("$base/$path", 0700, true);
        }
        file_put_contents("$base/config/app.php", '<?php return [];');
        $app = new Application($base);
        $app->singleton(HttpKernelContract::class, HttpKernel::class);
        $app->singleton(ConsoleKernelContract::class, ConsoleKernel::class);
        $app->singleton(ExceptionHandler::class, Handler::class);
        $app->afterBootstrapping(LoadConfiguration::class, fn (Application $app) => $this->configure($app));
        $app->make(ConsoleKernelContract::class)->bootstrap();
        $router = $app->make(Router::class);
        $router->middleware([StartSession::class])->group(static function (): void {
            Agent::routes();
            Agent::permissionRoutes();
        });

        return $app;
    }

    protected function configure(Application $app): void
    {
        $app->make('config')->set([
            'app' => [
                'key' => 'base64:' . base64_encode(random_bytes(32)), 'cipher' => 'AES-256-CBC', 'env' => 'testing',
                'providers' => self::PROVIDERS, 'aliases' => [], 'locale' => 'en', 'fallback_locale' => 'en',
                'timezone' => 'UTC', 'debug' => true,
            ],
            'auth' => [
                'defaults' => ['guard' => 'web'],
                'guards' => ['web' => ['driver' => 'session', 'provider' => 'users']],
                'providers' => ['users' => ['driver' => 'database', 'table' => 'users']],
            ],
            'cache' => ['default' => 'array', 'stores' => ['array' => ['driver' => 'array', 'serialize' => true]]],
            'session' => [
                'driver' => 'array', 'lifetime' => 10, 'expire_on_close' => false, 'lottery' => [0, 1], 'cookie' => 's',
                'path' => '/', 'domain' => null, 'secure' => false, 'http_only' => true, 'same_site' => 'lax',
            ],
            'logging' => [
                'default' => 'none',
                'channels' => ['none' => ['driver' => 'monolog', 'handler' => \Monolog\Handler\NullHandler::class]],
            ],
            'view' => ['paths' => [], 'compiled' => $app->storagePath() . '/framework/views'],
            'queue' => ['default' => 'sync', 'connections' => ['sync' => ['driver' => 'sync']]],
            // Never connected to: nobody signs in by it.
            'database' => [
                'default' => 'none',
                'connections' => ['none' => ['driver' => 'sqlite', 'database' => ':memory:']],
            ],
        ]);
    }

    /** @param array<string, mixed> $body */
    protected function ask(array $body): TestResponse
    {
        return $this->postJson('/agent/chat', $body, ['Accept' => 'text/event-stream']);
    }

    protected function follow(string $run, ?int $after = null): TestResponse
    {
        $headers = $after === null ? [] : ['Last-Event-ID' => "$run:$after"];

        return $this->get("/agent/runs/$run/events", $headers + ['Accept' => 'text/event-stream']);
    }

    /** @return list<array<string, mixed>> the run's own events in a response */
    protected function eventsOf(TestResponse $response): array
    {
        preg_match_all('/^data: (.*)$/m', $response->streamedContent(), $found);
        $events = array_map(static fn (string $data): mixed => json_decode($data, true), $found[1]);

        return array_values(array_filter($events, static fn (mixed $event): bool => isset($event['v'])));
    }

    /** The requests that follow come from this visitor's session. */
    protected function asVisitor(string $name): void
    {
        $this->withCredentials()->withUnencryptedCookie('s', self::sessionOf($name));
    }

    protected static function sessionOf(string $name): string
    {
        return substr(hash('sha256', $name), 0, 40);
    }
}
