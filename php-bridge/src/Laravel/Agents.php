<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel;

use AgentWorkers\Laravel\Http\AnswersInJson;
use AgentWorkers\Laravel\Http\ChatRequest;
use AgentWorkers\Laravel\Http\StreamController;
use AgentWorkers\ProcessRunner;
use AgentWorkers\Request;
use AgentWorkers\Runner;
use Illuminate\Contracts\Config\Repository;
use Illuminate\Contracts\Container\Container;
use Illuminate\Contracts\Routing\Registrar;
use InvalidArgumentException;
use Psr\Log\LoggerInterface;

/** The workers of config/agent-workers.php, ready to run. */
final class Agents
{
    private ?Runner $runner = null;
    /** @var list<\Closure(ProcessRunner, string): ProcessRunner> */
    private array $configurators = [];

    public function __construct(private readonly Container $app, private readonly Repository $config)
    {
    }

    /** @param string|list<array<string, mixed>>|ChatRequest $prompt text, content blocks, or what the browser sent */
    public function chat(string|array|ChatRequest $prompt): PendingRun
    {
        return $this->worker('chat', $prompt);
    }

    /** @param string|list<array<string, mixed>>|ChatRequest $prompt text, content blocks, or what the browser sent */
    public function worker(string $name, string|array|ChatRequest $prompt): PendingRun
    {
        $text = $prompt instanceof ChatRequest ? $prompt->prompt() : $prompt;
        $run = new PendingRun($this->app, $this->runner($name), $this->request($name, $text), $name);

        return $prompt instanceof ChatRequest ? $run->conversation($prompt->conversation()) : $run;
    }

    public function runner(string $worker = 'chat'): Runner
    {
        if ($this->runner !== null) {
            return $this->runner;
        }
        $runner = (new ProcessRunner($this->binary($this->profile($worker)['binary']), $this->arguments()))
            ->inheritEnv(...ProcessRunner::INHERITED_ENV, ...$this->setting('inherit', []))
            ->env($this->env())
            ->grace((float) $this->setting('grace', 8.0))
            ->logger($this->logger());
        foreach ($this->configurators as $configure) {
            $runner = $configure($runner, $worker);
        }

        return $runner;
    }

    /** Replaces what runs the workers, all of them. */
    public function runBy(Runner $runner): void
    {
        $this->runner = $runner;
    }

    /** @param \Closure(ProcessRunner, string): ProcessRunner $configure gets the runner and the name of the worker */
    public function configureRunner(\Closure $configure): void
    {
        $this->configurators[] = $configure;
    }

    /**
     * Adds `POST {prefix}/chat` and `GET {prefix}/runs/{run}/events`.
     *
     * @param list<string> $middleware besides that of the file in which it is called
     */
    public function routes(string $prefix = 'agent', string $worker = 'chat', array $middleware = []): void
    {
        $router = $this->app->make(Registrar::class);
        $attributes = ['prefix' => $prefix, 'middleware' => [AnswersInJson::class, ...$middleware]];
        $router->group($attributes, static function (Registrar $router) use ($worker): void {
            $router->post('chat', [StreamController::class, 'chat'])->defaults('worker', $worker);
            $router->get('runs/{run}/events', [StreamController::class, 'events'])
                ->where('run', '[A-Za-z0-9._:-]{1,128}');
        });
    }

    public function binary(string $name): string
    {
        return $this->setting("binaries.$name") ?? throw new InvalidArgumentException("No binary $name is configured.");
    }

    /** @return array<string, string> what workers get besides what they inherit */
    public function env(): array
    {
        $env = $this->setting('env', []) + ['AGENT_WORKERS_STATE_DIR' => $this->setting('state_dir')];

        return array_map(strval(...), array_filter($env, static fn (mixed $value): bool => $value !== null));
    }

    /** @param string|list<array<string, mixed>> $prompt */
    private function request(string $worker, string|array $prompt): Request
    {
        $profile = $this->profile($worker);
        $isSet = static fn (mixed $value): bool => $value !== null && $value !== [];
        $limits = array_filter($profile['limits'] ?? [], $isSet);
        $known = array_intersect_key($profile, ['model' => 1, 'system_prompt' => 1, 'max_turns' => 1]);
        $fields = $known + ['limits' => $limits] + ($profile['request'] ?? []);

        return Request::fromArray(['prompt' => $prompt] + array_filter($fields, $isSet));
    }

    /** @return array<string, mixed> */
    private function profile(string $worker): array
    {
        return $this->setting("workers.$worker")
            ?? throw new InvalidArgumentException("No worker $worker is configured.");
    }

    /** @return list<string> */
    private function arguments(): array
    {
        $scenario = $this->setting('simulate', false);

        return match (true) {
            is_string($scenario) && $scenario !== '' => ["--simulate=$scenario"],
            (bool) $scenario => ['--simulate'],
            default => [],
        };
    }

    private function logger(): LoggerInterface
    {
        $channel = $this->setting('log_channel');
        $log = $this->app->make('log');

        return $channel === null ? $log : $log->channel($channel);
    }

    private function setting(string $name, mixed $default = null): mixed
    {
        return $this->config->get("agent-workers.$name", $default);
    }
}
