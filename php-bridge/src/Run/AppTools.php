<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

use AgentWorkers\Event\AppToolCall;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\Start;
use AgentWorkers\Exception\ToolException;
use Psr\Log\LoggerInterface;

/**
 * Runs the application's tools, one after the other. Whatever they do, the run goes on and the model gets a result.
 *
 * @internal
 */
final class AppTools
{
    /** What the model is told where the cause may tell it, and whoever reads it, of the application's insides. */
    public const FAILED = 'The tool failed.';

    /** @var array<string, AppToolCall> calls whose handlers are still to be called: the loop may answer one before */
    private array $waiting = [];
    private ?AppToolCall $current = null;
    private ?ToolPrinting $printing = null;
    private bool $isAtWork = false;

    /**
     * @param array<string, \Closure> $handlers by name of the tool
     * @param \Closure(string, string|list<array<string, mixed>>, bool, ?bool, bool): mixed $send takes the id of the
     *     call, its result, whether that is an error, worth a retry, and from a record
     * @param (\Closure(string, string): ?string)|null $print takes the id of a call and what its handler prints; null
     *     where nobody wants that
     * @param (\Closure(AppToolCall): bool)|null $claim whether the call is to be run here, where others may run it, too
     */
    public function __construct(
        private readonly array $handlers,
        private readonly \Closure $send,
        private readonly ?\Closure $print,
        private readonly LoggerInterface $logger,
        private readonly ?\Closure $claim = null,
    ) {
    }

    public function note(Event $event): void
    {
        if ($event instanceof Start) {
            [$this->waiting, $this->current] = [[], null]; // calls of a lost attempt have no model that waits for them
        }
        if ($event instanceof AppToolCall && isset($this->handlers[$event->name])) {
            $this->waiting[$event->callId] = $event;
        }
        $this->printing?->note($event);
    }

    public function settled(string $callId): void
    {
        unset($this->waiting[$callId]);
        if ($this->current?->callId === $callId) {
            $this->current = null;
        }
    }

    /** Calls the handlers of open calls. Returns while one waits until what it has printed is seen. */
    public function run(): void
    {
        if ($this->isAtWork) {
            return;
        }
        $this->isAtWork = true;
        try {
            while ($this->printing !== null || $this->waiting !== []) {
                if ($this->printing === null) {
                    $this->begin(array_shift($this->waiting));
                }
                if (!$this->proceed()) {
                    return;
                }
            }
        } finally {
            $this->isAtWork = false;
        }
    }

    private function begin(AppToolCall $call): void
    {
        if (Expiry::isOver($call->expiresAt)) {
            // The model was told that the call failed, and may repeat it: run now, it would take effect twice.
            $this->logger->warning("The tool $call->name was not run: the call had expired.", self::names($call));

            return;
        }
        if ($this->claim !== null && !($this->claim)($call)) {
            return; // somebody else runs it
        }
        $this->current = $call;
        $this->printing = new ToolPrinting($this->steps($call), $call, $this->print);
    }

    /** Tells whether there is nothing to wait for. */
    private function proceed(): bool
    {
        if ($this->printing !== null && !$this->printing->proceed()) {
            return false;
        }
        [$printing, $call] = [$this->printing, $this->current];
        [$this->printing, $this->current] = [null, null];
        if ($printing !== null && $call !== null) { // the handler may have sent a result by itself
            ($this->send)($call->callId, ...$printing->result());
        }

        return true;
    }

    /**
     * Yields what the handler prints; returns the result, and whether it is an error, worth a retry, and from a record.
     *
     * @return \Generator<int, string, mixed, array{string|list<array<string, mixed>>, bool, ?bool, bool}>
     */
    private function steps(AppToolCall $call): \Generator
    {
        try {
            if ($call->truncatedBytes !== null) {
                // What is left of it means something else.
                throw new ToolException('The input is too large for the tool. Call it with a smaller one.');
            }
            $result = yield from ToolSteps::of($this->handlers[$call->name], $call);

            return $result instanceof KeptResult
                ? [$result->content, false, null, $result->isReplayed]
                : [AppToolResult::of($result), false, null, false];
        } catch (ToolException $error) {
            $cause = $error->getPrevious();
            $cause === null || $this->report($call, $cause);

            return [$error->getMessage(), true, $error->retryable, false];
        } catch (\Throwable $error) {
            $this->report($call, $error);

            return [self::FAILED, true, null, false];
        }
    }

    private function report(AppToolCall $call, \Throwable $error): void
    {
        $message = "The tool $call->name failed: " . $error->getMessage();
        $this->logger->error($message, ['exception' => $error] + self::names($call));
    }

    /** @return array<string, string> */
    private static function names(AppToolCall $call): array
    {
        return ['run' => $call->run, 'call' => $call->callId];
    }
}
