<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

use AgentWorkers\Event\AppToolCall;
use AgentWorkers\Exception\ToolException;
use Psr\Log\LoggerInterface;

/**
 * Runs the application's tools. Whatever they do, the run goes on and the model gets an answer.
 *
 * @internal
 */
final class AppTools
{
    /** @param array<string, \Closure> $handlers by name of the tool */
    public function __construct(private readonly array $handlers, private readonly LoggerInterface $logger)
    {
    }

    public function has(string $tool): bool
    {
        return isset($this->handlers[$tool]);
    }

    /** @return array{string|list<array<string, mixed>>, bool}|null what to answer, and whether it is an error */
    public function answer(AppToolCall $call): ?array
    {
        if (Expiry::isOver($call->expiresAt)) {
            // The model was told that it failed: it must not take effect now, and again when it is repeated.
            $this->logger->warning("A call of the tool $call->name came too late to run.", self::names($call));

            return null;
        }
        try {
            return [AppToolResult::of($this->run($call)), false];
        } catch (ToolException $error) {
            $cause = $error->getPrevious();
            $cause === null || $this->report($call, $cause);

            return [$error->getMessage(), true];
        } catch (\Throwable $error) {
            $this->report($call, $error);

            return ['The tool failed.', true]; // its message may tell the model, and whoever reads it, of our insides
        }
    }

    private function run(AppToolCall $call): mixed
    {
        if ($call->truncatedBytes !== null) {
            throw new ToolException('The input is too large.'); // what is left of it means something else
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
