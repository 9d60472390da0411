<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Events;

use AgentWorkers\Event\Done;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Event\Start;
use AgentWorkers\Event\ToolCall;
use AgentWorkers\Event\ToolResult;
use AgentWorkers\Run\Ending;

/**
 * Makes Laravel events of what one run says.
 *
 * @internal
 */
final class Watch
{
    private const OWN = 'mcp__app__';

    private readonly float $made;
    private bool $hasBegun = false;
    private ?Event $last = null;
    /** @var array<string, array{string, float}> names of open calls, and when they were told, by their ids */
    private array $calls = [];

    /**
     * @param array<string, mixed> $facts of the run, by the names of RunEvent
     * @param \Closure(RunEvent): void $dispatch
     */
    public function __construct(
        private readonly string $run,
        private readonly array $facts,
        private readonly \Closure $dispatch,
    ) {
        $this->made = self::now();
    }

    public function note(Event $event): void
    {
        $this->begin();
        $this->last = $event;
        if ($event instanceof Start) {
            $this->calls = []; // those of a lost attempt get no result
        }
        if ($event instanceof ToolCall) {
            $this->called($event);
        } elseif ($event instanceof ToolResult) {
            $this->finished($event);
        }
    }

    public function end(): void
    {
        $this->begin();
        $last = $this->last?->isTerminal() ? $this->last : EventFactory::compose(
            $this->run,
            ($this->last->seq ?? 0) + 1,
            'aborted',
            Ending::stopped(),
        );
        ($this->dispatch)(new RunEnded(...$this->facts, ...[
            'status' => $last->type,
            'event' => $last,
            'usage' => $last->usage,
            'costUsd' => $last->costUsd,
            'durationMs' => $last instanceof Done ? $last->durationMs : self::since($this->made),
        ]));
    }

    private function begin(): void
    {
        if (!$this->hasBegun) {
            $this->hasBegun = true;
            ($this->dispatch)(new RunStarted(...$this->facts));
        }
    }

    private function called(ToolCall $call): void
    {
        $isOwn = str_starts_with($call->name, self::OWN);
        $name = $isOwn ? substr($call->name, strlen(self::OWN)) : $call->name;
        $this->calls[$call->toolUseId] = [$name, self::now()];
        ($this->dispatch)(new ToolCalled(...$this->facts, ...[
            'toolUseId' => $call->toolUseId,
            'tool' => $name,
            'input' => $call->input,
        ]));
    }

    private function finished(ToolResult $result): void
    {
        [$name, $told] = $this->calls[$result->toolUseId] ?? [null, null];
        unset($this->calls[$result->toolUseId]);
        ($this->dispatch)(new ToolFinished(...$this->facts, ...[
            'toolUseId' => $result->toolUseId,
            'tool' => $name,
            'status' => $result->status,
            'content' => $result->content,
            'durationMs' => $told === null ? null : self::since($told),
            'replayed' => $result->replayed ?? false,
        ]));
    }

    private static function since(float $then): int
    {
        return (int) round((self::now() - $then) * 1000);
    }

    private static function now(): float
    {
        return hrtime(true) / 1e9;
    }
}
