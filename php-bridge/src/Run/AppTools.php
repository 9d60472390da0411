<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

use AgentWorkers\Event\AppToolCall;
use AgentWorkers\Event\Event;
use AgentWorkers\Exception\ToolException;
use Psr\Log\LoggerInterface;

/**
 * Runs the application's tools. Whatever they do, the run goes on and the model gets a result.
 *
 * @internal
 */
final class AppTools
{
    /** What the model is told where the cause may tell it, and whoever reads it, of the application's insides. */
    public const FAILED = 'The tool failed.';

    /** The latest call, until it has its result: the loop may give one before the handler is called. */
    private ?AppToolCall $open = null;

    /**
     * @param array<string, \Closure> $handlers by name of the tool
     * @param \Closure(string, string|list<array<string, mixed>>, bool): mixed $send takes the id of the call, its
     *                                                                            result and whether that is an error
     */
    public function __construct(
        private readonly array $handlers,
        private readonly \Closure $send,
        private readonly LoggerInterface $logger,
    ) {
    }

    public function note(Event $event): void
    {
        $this->open = $event instanceof AppToolCall ? $event : null;
    }

    public function settled(string $callId): void
    {
        if ($this->open?->callId === $callId) {
            $this->open = null;
        }
    }

    /** Calls the handler for the open call, where there is one. */
    public function run(): void
    {
        $call = $this->open;
        if ($call === null || !isset($this->handlers[$call->name])) {
            return;
        }
        $result = $this->resultOf($call);
        if ($result !== null && $this->open !== null) { // the handler may have sent a result by itself
            ($this->send)($call->callId, ...$result);
        }
    }

    /** @return array{string|list<array<string, mixed>>, bool}|null the result, and whether it is an error */
    private function resultOf(AppToolCall $call): ?array
    {
        if (Expiry::isOver($call->expiresAt)) {
            // The model was told that the call failed, and may repeat it: run now, it would take effect twice.
            $this->logger->warning("The tool $call->name was not run: the call had expired.", self::names($call));

            return null;
        }
        try {
            return [AppToolResult::of($this->handled($call)), false];
        } catch (ToolException $error) {
            $cause = $error->getPrevious();
            $cause === null || $this->report($call, $cause);

            return [$error->getMessage(), true];
        } catch (\Throwable $error) {
            $this->report($call, $error);

            return [self::FAILED, true];
        }
    }

    private function handled(AppToolCall $call): mixed
    {
        if ($call->truncatedBytes !== null) {
            // What is left of it means something else.
            throw new ToolException('The input is too large for the tool. Call it with a smaller one.');
        }

        return ($this->handlers[$call->name])($call->input);
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
