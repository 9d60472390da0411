<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel;

use AgentWorkers\Fleet\Fleet;
use AgentWorkers\Laravel\Console\ChatCommand;
use AgentWorkers\Laravel\Console\DoctorCommand;
use AgentWorkers\Laravel\Console\FleetToolsCommand;
use AgentWorkers\Laravel\Console\MakeAgentCommand;
use AgentWorkers\Laravel\Console\MakeAgentToolCommand;
use AgentWorkers\Laravel\Console\RecordsCommand;
use AgentWorkers\Laravel\Console\RunCommand;
use AgentWorkers\Laravel\Console\SessionCommand;
use AgentWorkers\Laravel\Console\SkillCommand;
use AgentWorkers\Laravel\Console\SkillsCommand;
use AgentWorkers\Laravel\Console\UsageCommand;
use AgentWorkers\Laravel\Fleet\FleetAccess;
use AgentWorkers\Laravel\Http\Rendering;
use AgentWorkers\Laravel\Http\StreamsInJson;
use AgentWorkers\Laravel\Records\Settings;
use AgentWorkers\Laravel\View\Chat;
use Illuminate\Contracts\Container\Container;
use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Contracts\Http\Kernel;
use Illuminate\Support\ServiceProvider;
use Illuminate\View\Compilers\BladeCompiler;

final class AgentWorkersServiceProvider extends ServiceProvider
{
    private const CONFIG = __DIR__ . '/../../config/agent-workers.php';
    private const WORDS = __DIR__ . '/../../lang';
    private const VIEWS = __DIR__ . '/../../resources/views';
    private const SCRIPT = __DIR__ . '/../../resources/dist/agent-chat-element.js';
    private const STUBS = __DIR__ . '/../../stubs';
    private const MIGRATIONS = __DIR__ . '/../../database/migrations';
    private const RECORDS = __DIR__ . '/../../database/records';

    public function register(): void
    {
        $this->mergeConfigFrom(self::CONFIG, 'agent-workers');
        // Scoped, not a singleton: under Octane an application serves many requests.
        $this->app->scoped(Agents::class);
        // A queue's worker and Octane boot providers once, and forget what is scoped after each job and request.
        $this->app->singleton(Registry::class);
        $this->app->singleton(FleetAccess::class);
        $this->app->bind(Fleet::class, static fn (Container $app): Fleet => $app->make(FleetAccess::class)->fleet());
    }

    public function boot(): void
    {
        $this->loadTranslationsFrom(self::WORDS, 'agent-workers');
        $this->loadViewsFrom(self::VIEWS, 'agent-workers');
        $this->callAfterResolving(BladeCompiler::class, static function (BladeCompiler $blade): void {
            $blade->componentNamespace('AgentWorkers\\Laravel\\View', 'agent-workers');
        });
        $this->callAfterResolving(ExceptionHandler::class, Rendering::register(...));
        $this->callAfterResolving(Kernel::class, static function (Kernel $kernel): void {
            // An application may have a kernel of its own kind.
            method_exists($kernel, 'prependMiddleware') && $kernel->prependMiddleware(StreamsInJson::class);
        });
        if ($this->app->runningInConsole()) {
            if ($this->app->make(Settings::class)->isOn()) {
                $this->loadMigrationsFrom(self::RECORDS);
            }
            $records = [self::RECORDS => $this->app->databasePath('migrations')];
            $this->publishes($records, 'agent-workers-records-migrations');
            $this->publishes([self::CONFIG => $this->app->configPath('agent-workers.php')], 'agent-workers-config');
            $this->publishes([self::MIGRATIONS => $this->app->databasePath('migrations')], 'agent-workers-migrations');
            $this->publishes([self::WORDS => $this->app->langPath() . '/vendor/agent-workers'], 'agent-workers-lang');
            // Laravel's own composer.json publishes what has the second tag anew after each update.
            $script = [self::SCRIPT => $this->app->make('path.public') . '/' . Chat::PUBLISHED];
            $this->publishes($script, ['agent-workers-assets', 'laravel-assets']);
            $this->publishes([self::STUBS => $this->app->basePath('stubs')], 'agent-workers-stubs');
            $this->commands([
                ChatCommand::class,
                RecordsCommand::class,
                RunCommand::class,
                SessionCommand::class,
                SkillCommand::class,
                SkillsCommand::class,
                UsageCommand::class,
                DoctorCommand::class,
                FleetToolsCommand::class,
                MakeAgentCommand::class,
                MakeAgentToolCommand::class,
            ]);
        }
    }
}
