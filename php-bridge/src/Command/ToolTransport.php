<?php

declare(strict_types=1);

namespace AgentWorkers\Command;

use AgentWorkers\Event\AppToolCall;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Exception\ToolException;
use AgentWorkers\Process\ExitStatus;
use AgentWorkers\Process\Transport;
use AgentWorkers\Request;
use AgentWorkers\Run\AppToolResult;
use AgentWorkers\Run\AppTools;
use AgentWorkers\Run\Ending;
use AgentWorkers\Run\KeptResult;
use AgentWorkers\Run\ToolSteps;
use Psr\Log\LoggerInterface;

/**
 * Runs one tool of the application in this process, and tells it as the worker `agent-tool` does: no model is asked.
 *
 * @internal
 */
final class ToolTransport implements Transport
{
    private const WORKER = 'agent-tool';
    private const TICK_NS = 200_000_000;
    /** What is sent of a result: escaped, it still fits a line. */
    private const LONGEST = 150_000;

    private int $began = 0;
    private int $ticked = 0;
    private int $seq = 0;
    private string $run = '';
    /** @var array<string, mixed>|null what ends the run before its tool does */
    private ?array $ending = null;
    /** @var list<array<string, mixed>> */
    private array $acks = [];
    private bool $isRunning = false;

    /** @param array<string, mixed> $input */
    public function __construct(
        private readonly Command $command,
        private readonly array $input,
        private readonly \Closure $handler,
        private readonly LoggerInterface $logger,
    ) {
    }

    public function chunks(string $request, \Closure $tick): \Generator
    {
        $asked = json_decode($request, false, 512, JSON_THROW_ON_ERROR);
        $this->began = hrtime(true);
        $this->run = $asked->run;
        $this->isRunning = true;
        $echoed = isset($asked->metadata) ? ['metadata' => $asked->metadata] : [];
        $versions = ['worker_version' => 'php', 'sdk_version' => 'php', 'simulated' => false];
        $begun = Request::fromJson($request)->echoedAtStart();
        yield $this->line(['type' => 'start', 'worker' => self::WORKER] + $versions + $echoed + $begun);
        $tick();
        if ($this->ending === null) {
            yield from $this->call($tick, ($asked->stream->tool_output ?? false) === true, $echoed);
        }
        yield from $this->acknowledged();
        if ($this->ending !== null) {
            yield $this->line($this->ending + $echoed);
        }
        $this->isRunning = false;
    }

    public function send(string $line): bool
    {
        if (!$this->isRunning) {
            return false;
        }
        $control = json_decode($line, true);
        $isAbort = $control['type'] === 'abort';
        $code = $isAbort ? [] : ['code' => $control['type'] === 'steer' ? 'too_late' : 'not_pending'];
        $this->acks[] = ['type' => 'ack', 'id' => $control['id'], 'ok' => $isAbort] + $code;
        if ($isAbort) {
            $this->ending ??= ['type' => 'aborted'] + Ending::stopped();
        }

        return true;
    }

    public function terminate(): void
    {
        if ($this->isRunning) {
            $this->ending ??= ['type' => 'aborted', 'reason' => 'signal'];
        }
    }

    public function terminateAfterGrace(): void
    {
    }

    public function finish(): void
    {
        $this->isRunning = false;
    }

    public function stop(): void
    {
        $this->isRunning = false;
    }

    public function exitStatus(): ExitStatus
    {
        return new ExitStatus($this->isRunning ? null : 0);
    }

    public function stderr(): string
    {
        return '';
    }

    /**
     * @param array<string, mixed> $echoed
     *
     * @return \Generator<int, string>
     */
    private function call(\Closure $tick, bool $showsOutput, array $echoed): \Generator
    {
        $id = ['tool_use_id' => 'toolu_' . bin2hex(random_bytes(8))];
        $name = $this->command->toolName();
        yield $this->line(['type' => 'tool_call', 'name' => $name, 'input' => (object) $this->input] + $id);
        $output = new ToolOutputPace();
        $steps = $this->steps($id['tool_use_id']);
        foreach ($steps as $piece) {
            foreach ($showsOutput ? $output->add($piece) : [] as $printed) {
                yield $this->line(['type' => 'tool_output', 'stream' => 'stdout'] + $printed + $id);
            }
            yield from $this->ticked($tick);
            if ($this->ending !== null) {
                return;
            }
        }
        foreach ($output->rest() as $printed) {
            yield $this->line(['type' => 'tool_output', 'stream' => 'stdout'] + $printed + $id);
        }
        [$content, $status, $retryable] = $steps->getReturn();
        $told = is_string($content) ? $content : self::text($content);
        [$text, $cut] = self::cut($told);
        $more = $retryable === null ? [] : ['retryable' => $retryable];
        $isReplayed = $content instanceof KeptResult && $content->isReplayed;
        $more += $isReplayed ? ['replayed' => true] : [];
        yield $this->line(['type' => 'tool_result', 'status' => $status, 'content' => $text] + $more + $cut + $id);
        $this->ending = ['type' => 'done', 'stop_reason' => 'end_turn', 'text' => $text] + self::output($told, $status);
        $this->ending += [
            'usage' => new \stdClass(),
            'duration_ms' => intdiv(hrtime(true) - $this->began, 1_000_000),
            'turns' => 0,
        ] + $cut;
    }

    /**
     * @return \Generator<int, string, mixed, array{string|KeptResult|list<array<string, mixed>>, string, ?bool}> yields
     *     what the tool prints; returns its content, its status, and whether it is worth a retry
     */
    private function steps(string $toolUseId): \Generator
    {
        $call = EventFactory::compose($this->run, 0, 'app_tool_call', [
            'call_id' => $toolUseId,
            'tool_use_id' => $toolUseId,
            'name' => $this->command->tool,
            'input' => (object) $this->input,
            'expires_at' => '9999-12-31T23:59:59.999Z',
            'effect_key' => EffectKey::of($this->run, $this->command->tool, $this->input),
        ]);
        assert($call instanceof AppToolCall);
        try {
            $result = yield from ToolSteps::of($this->handler, $call);

            return [$result instanceof KeptResult ? $result : AppToolResult::of($result), 'ok', null];
        } catch (ToolException $error) {
            $cause = $error->getPrevious();
            $cause === null || $this->report($cause);

            return [$error->getMessage(), 'error', $error->retryable];
        } catch (\Throwable $error) {
            $this->report($error);

            return [AppTools::FAILED, 'error', null];
        }
    }

    private function report(\Throwable $error): void
    {
        $message = "The tool {$this->command->tool} failed: " . $error->getMessage();
        $this->logger->error($message, ['exception' => $error, 'run' => $this->run]);
    }

    /** @return \Generator<int, string> */
    private function ticked(\Closure $tick): \Generator
    {
        if (hrtime(true) - $this->ticked >= self::TICK_NS) {
            $this->ticked = hrtime(true);
            $tick();
        }
        yield from $this->acknowledged();
    }

    /** @return \Generator<int, string> */
    private function acknowledged(): \Generator
    {
        while ($this->acks !== []) {
            yield $this->line(array_shift($this->acks));
        }
    }

    /** @param KeptResult|list<array<string, mixed>> $content */
    private static function text(KeptResult|array $content): string
    {
        $blocks = $content instanceof KeptResult ? $content->content : $content;
        $text = static fn (array $block): string => $block['text'] ?? "[{$block['type']}]";

        return is_string($blocks) ? $blocks : implode("\n", array_map($text, $blocks));
    }

    /** @return array{string, array<string, int>} */
    private static function cut(string $text): array
    {
        $kept = Utf8::cut($text, self::LONGEST);

        return [$kept, $kept === $text ? [] : ['truncated_bytes' => strlen($text) - strlen($kept)]];
    }

    /** @return array<string, mixed> the result as a value, if it is one */
    private static function output(string $text, string $status): array
    {
        $value = $status === 'ok' && strlen($text) <= self::LONGEST ? json_decode($text) : null;

        return is_array($value) || $value instanceof \stdClass ? ['output' => $value] : [];
    }

    /** @param array<string, mixed> $body */
    private function line(array $body): string
    {
        return EventFactory::compose($this->run, ++$this->seq, $body['type'], $body)->toJson() . "\n";
    }
}
