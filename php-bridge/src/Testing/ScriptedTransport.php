<?php

declare(strict_types=1);

namespace AgentWorkers\Testing;

use AgentWorkers\Event\Event;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Process\ExitStatus;
use AgentWorkers\Process\Transport;
use AgentWorkers\Request;
use AgentWorkers\Run\Ending;

/**
 * A worker that follows a script, down to its bytes: what reads them is the real thing. It obeys like a worker, too.
 *
 * @internal
 */
final class ScriptedTransport implements Transport
{
    /** Ticks for which a question waits: 20 s of a real run. */
    private const PATIENCE = 100;

    /** @var list<array<string, mixed>> */
    private array $controls = [];
    /** @var list<array<string, mixed>> what it has to say in answer to control messages */
    private array $answers = [];
    /** @var list<Question> */
    private array $questions = [];
    /** @var array<string, Question|null> by id; null stands for one that the script put as an event of its own */
    private array $open = [];
    private string $run = '';
    private int $seq = 0;
    /** @var array<string, mixed> what `start` and the terminal event repeat of the request */
    private array $echoed = [];
    /** @var array<string, mixed> what `start` alone repeats */
    private array $echoedAtStart = [];
    private ?string $skill = null;
    /** Null of a tool that runs without a model. */
    private ?string $engine = null;
    private bool $showsOutput = false;
    private bool $isRunning = false;
    private bool $isEnded = false;

    /**
     * @param list<array<string, mixed>|\stdClass|string|Question> $steps
     * @param positive-int|null $chunk
     */
    public function __construct(
        private readonly array $steps,
        private readonly ?int $chunk,
        private readonly ?int $crashAfter,
        private readonly bool $isSilentAtTheEnd,
        private readonly int $ticks,
        private readonly float $sleep,
        private readonly ?int $exitCode,
        private readonly string $stderr,
    ) {
    }

    public function chunks(string $request, \Closure $tick): \Generator
    {
        $this->isRunning = true;
        $asked = json_decode($request);
        $this->run = $asked->run;
        $this->echoed = Request::fromJson($request)->echoed();
        $this->echoedAtStart = Request::fromJson($request)->echoedAtStart();
        $this->skill = $asked->skill ?? null;
        $this->engine = isset($asked->tool) ? null : $asked->engine ?? 'agent';
        $this->showsOutput = ($asked->stream->tool_output ?? false) === true;
        $tick();
        foreach ($this->steps as $step) {
            yield from $this->answered();
            $this->pass($tick);
            yield from $this->answered();
            if ($step instanceof Question && !$this->isEnded) {
                yield from $this->put($step);
                continue;
            }
            yield from $this->patience($tick);
            if ($this->isEnded) {
                break;
            }
            if ($this->seq === $this->crashAfter) {
                $half = is_string($step) ? $step : $this->line($step);
                yield from $this->pieces(substr($half, 0, intdiv(strlen($half), 2)));
                break;
            }
            yield from $this->pieces(is_string($step) ? $step : $this->said($step));
        }
        yield from $this->answered();
        $this->isRunning = false;
    }

    public function send(string $line): bool
    {
        if (!$this->isRunning) {
            return false;
        }
        $control = json_decode($line, true);
        $this->controls[] = $control;
        if ($control['type'] === 'abort') {
            $this->ack($control);
            $this->answers[] = ['type' => 'aborted'] + Ending::stopped();
        } else {
            match ($control['type']) {
                'steer' => $this->steer($control),
                'app_tool_output' => $this->print($control),
                default => $this->settle(
                    $control,
                    $control['permission_id'] ?? $control['question_id'] ?? $control['call_id'],
                ),
            };
        }

        return true;
    }

    public function terminate(): void
    {
        if ($this->isRunning) {
            $this->answers[] = ['type' => 'aborted', 'reason' => 'signal'];
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
        return new ExitStatus($this->isRunning ? null : $this->exitCode);
    }

    public function stderr(): string
    {
        return $this->stderr;
    }

    /** @return list<array<string, mixed>> */
    public function controls(): array
    {
        return $this->controls;
    }

    /** @return list<Question> those that the script put, with their answers */
    public function questions(): array
    {
        return $this->questions;
    }

    /** @param array<string, mixed> $control */
    private function ack(array $control, ?string $code = null): void
    {
        $ack = ['type' => 'ack', 'id' => $control['id'], 'ok' => $code === null];
        $this->answers[] = $code === null ? $ack : $ack + ['code' => $code];
    }

    /**
     * It is read at once.
     *
     * @param array<string, mixed> $control
     */
    private function steer(array $control): void
    {
        $this->ack($control, $this->isEnded ? 'too_late' : null);
        if (!$this->isEnded) {
            $this->answers[] = ['type' => 'steered', 'id' => $control['id']] + Question::actor($control);
        }
    }

    /** @param array<string, mixed> $control */
    private function print(array $control): void
    {
        $isOpen = array_key_exists($control['call_id'], $this->open);
        $this->ack($control, $isOpen ? null : 'not_pending');
        if ($isOpen && $this->showsOutput) {
            $id = 'toolu_' . substr($control['call_id'], strlen('call_'));
            $printed = ['tool_use_id' => $id, 'stream' => 'stdout', 'text' => $control['text']];
            $this->answers[] = ['type' => 'tool_output'] + $printed;
        }
    }

    /** @param array<string, mixed> $control */
    private function settle(array $control, string $id): void
    {
        if (!array_key_exists($id, $this->open)) {
            $this->ack($control, 'not_pending');

            return;
        }
        $this->ack($control);
        $question = $this->open[$id];
        unset($this->open[$id]);
        if ($question !== null) {
            $question->answer = $control;
            array_push($this->answers, ...$question->settled());
        } elseif ($control['type'] === 'permission') {
            $settled = ['permission_id' => $id, 'behavior' => $control['behavior'], 'by' => 'client'];
            $this->answers[] = ['type' => 'permission_resolved'] + $settled + Question::actor($control);
        } elseif ($control['type'] === 'answer') {
            $settled = ['question_id' => $id, 'by' => 'client'] + Question::actor($control);
            $this->answers[] = ['type' => 'question_resolved'] + $settled;
        }
    }

    /** @return \Generator<int, string> */
    private function put(Question $question): \Generator
    {
        $this->questions[] = $question = $question->numbered(count($this->questions) + 1);
        $this->open[$question->id()] = $question;
        foreach ($question->put() as $event) {
            yield from $this->pieces($this->said($event));
        }
    }

    /**
     * Waits for answers, not for ever.
     *
     * @return \Generator<int, string>
     */
    private function patience(\Closure $tick): \Generator
    {
        for ($ticks = 0; $ticks < self::PATIENCE && array_filter($this->open) !== [] && !$this->isEnded; $ticks++) {
            $tick();
            yield from $this->answered();
        }
        foreach (array_filter($this->open) as $id => $question) {
            unset($this->open[$id]);
            array_push($this->answers, ...$question->settled());
        }
        yield from $this->answered();
    }

    private function pass(\Closure $tick): void
    {
        for ($i = 0; $i < $this->ticks; $i++) {
            $tick();
        }
        if ($this->sleep > 0) {
            usleep((int) ($this->sleep * 1e6));
        }
    }

    /** @return \Generator<int, string> */
    private function answered(): \Generator
    {
        while ($this->answers !== [] && !$this->isEnded) {
            yield from $this->pieces($this->said(array_shift($this->answers)));
        }
    }

    /** @param array<string, mixed>|\stdClass $event */
    private function said(array|\stdClass $event): string
    {
        $event = (array) $event;
        $this->opens($event);
        if (($event['type'] ?? null) === 'start') {
            $this->seq = 0; // also where the run begins anew
        }
        $isTerminal = in_array($event['type'] ?? null, Event::TERMINAL, true);
        $this->isEnded = $isTerminal;
        $event += $this->repeated($event['type'] ?? '');

        return $isTerminal && $this->isSilentAtTheEnd ? '' : $this->line($event, ++$this->seq);
    }

    /** @return array<string, mixed> */
    private function repeated(string $type): array
    {
        $skill = array_filter(['skill' => $this->skill]);

        return match ($type) {
            'start' => $this->echoed + $this->echoedAtStart + $skill + array_filter(['engine' => $this->engine]),
            'session' => ['cli_version' => $this->engine === 'messages' ? 'none' : '0'],
            'done' => $this->echoed + $skill,
            'error', 'aborted' => $this->echoed,
            default => [],
        };
    }

    /** @param array<string, mixed> $event */
    private function opens(array $event): void
    {
        $id = match ($event['type'] ?? null) {
            Question::PERMISSION => $event['permission_id'] ?? null,
            Question::APP_TOOL => $event['call_id'] ?? null,
            Question::USER => $event['question_id'] ?? null,
            default => null,
        };
        if (is_string($id)) {
            $this->open += [$id => null];
        }
    }

    /** @param array<string, mixed>|\stdClass $event */
    private function line(array|\stdClass $event, ?int $seq = null): string
    {
        $envelope = ['v' => EventFactory::VERSION, 'seq' => $seq ?? $this->seq + 1, 'run' => $this->run];
        $line = $envelope + (array) $event + ['ts' => '2026-01-01T00:00:00.000Z'];

        return json_encode($line, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE) . "\n";
    }

    /** @return \Generator<int, string> */
    private function pieces(string $bytes): \Generator
    {
        if ($bytes !== '') {
            yield from $this->chunk === null ? [$bytes] : str_split($bytes, $this->chunk);
        }
    }
}
