<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel;

use AgentWorkers\Event\Done;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Laravel\Http\Conversations;
use AgentWorkers\Laravel\Http\Owner;
use AgentWorkers\Laravel\Queue\EventHandler;
use AgentWorkers\Laravel\Queue\RunAgent;
use AgentWorkers\Laravel\Stream\LiveResponse;
use AgentWorkers\Request;
use AgentWorkers\Run;
use AgentWorkers\Runner;
use AgentWorkers\Sse\Format;
use Illuminate\Contracts\Bus\Dispatcher;
use Illuminate\Contracts\Container\Container;
use Illuminate\Contracts\Support\Responsable;
use Illuminate\Http\Request as HttpRequest;
use Symfony\Component\HttpFoundation\StreamedResponse;

/** A run that has not begun. Returned from a controller, it streams to the browser. */
final class PendingRun implements Responsable
{
    private ?string $conversation = null;
    private Format|string|null $format = null;

    /** @internal Agents makes them */
    public function __construct(
        private readonly Container $app,
        private readonly Runner $runner,
        private Request $request,
        private readonly string $worker,
    ) {
    }

    public function systemPrompt(string $prompt): self
    {
        return $this->configure(static fn (Request $request): Request => $request->systemPrompt($prompt));
    }

    public function model(string $model): self
    {
        return $this->configure(static fn (Request $request): Request => $request->model($model));
    }

    /** @param \Closure(Request): Request $change for everything that a request can say */
    public function configure(\Closure $change): self
    {
        $this->request = $change($this->request);

        return $this;
    }

    /** The visitor's conversation, a UUID: begun on its first use, continued later, and nobody else's. For streams. */
    public function conversation(?string $id): self
    {
        $this->conversation = $id === null ? null : strtolower($id);

        return $this;
    }

    /** What the browser reads, instead of `stream.format` in the configuration. */
    public function format(Format|string $format): self
    {
        $this->format = $format;

        return $this;
    }

    public function request(): Request
    {
        return $this->request;
    }

    /**
     * Waits for the answer.
     *
     * @throws RunFailedException
     * @throws RunAbortedException
     */
    public function run(): Done
    {
        return $this->events()->wait();
    }

    /** Waits for the answer's text; fails like run(). */
    public function text(): string
    {
        return $this->run()->text;
    }

    /** The run, to iterate for its events. */
    public function events(): Run
    {
        return $this->runner->stream($this->request);
    }

    /** @param class-string<EventHandler>|null $handler gets each event; without one, each is dispatched as AgentEvent */
    public function dispatch(?string $handler = null): mixed
    {
        $job = new RunAgent($this->request->toArray(), $handler, $this->worker);

        return $this->app->make(Dispatcher::class)->dispatch($job);
    }

    public function stream(?HttpRequest $request = null): StreamedResponse
    {
        $request ??= $this->app->make('request');
        $owner = Owner::of($request);
        if ($this->conversation !== null) {
            $this->request = $this->app->make(Conversations::class)->enter($this->conversation, $owner, $this->request);
        }
        $live = $this->app->make(LiveResponse::class);

        return $live->of($this->events(), $owner, $this->conversation, $this->format);
    }

    /** @param HttpRequest $request */
    public function toResponse($request): StreamedResponse
    {
        return $this->stream($request);
    }
}
