<?php

declare(strict_types=1);

namespace AgentWorkers\Testing;

use AgentWorkers\Event\Event;
use AgentWorkers\Process\ExitStatus;
use AgentWorkers\Request;

/** What a fake worker says, and how badly. Immutable: each modifier returns a changed copy. */
final class Script
{
    /** @var array<string, mixed> */
    private const START = [
        'type' => 'start', 'worker' => 'fake', 'worker_version' => '0', 'sdk_version' => '0', 'simulated' => true,
    ];
    /** @var array<string, mixed> */
    private const SESSION = [
        'type' => 'session', 'session_id' => '00000000-0000-4000-8000-000000000000', 'model' => 'fake',
        'tools' => [], 'resumed' => false,
    ];

    /** @var positive-int|null */
    private ?int $chunk = null;
    private ?int $crashAfter = null;
    private bool $isSilentAtTheEnd = false;
    private int $ticks = 0;
    private float $sleep = 0.0;
    private ?int $exitCode = null;
    private string $stderr = '';
    /** Whether it is an answer of which no output was said. */
    private bool $isText = false;
    private bool $isPending = false;

    /** @param list<array<string, mixed>|\stdClass|string|Question> $steps event bodies, and strings for raw bytes */
    private function __construct(private array $steps)
    {
    }

    /** A run that answers with this text, a delta for each word. */
    public static function text(string $text): self
    {
        $deltas = array_map(
            static fn (string $word): array => ['type' => 'delta', 'text' => $word, 'block' => 1],
            preg_split('/(?<=\s)(?=\S)/u', $text, -1, PREG_SPLIT_NO_EMPTY) ?: [$text],
        );

        $script = new self([self::START, self::SESSION, ...$deltas, [
            'type' => 'done',
            'stop_reason' => 'end_turn',
            'text' => $text,
            'session_id' => self::SESSION['session_id'],
            'usage' => ['input_tokens' => 1, 'output_tokens' => count($deltas)],
            'duration_ms' => 1,
            'turns' => 1,
        ]]);
        $script->isText = true;

        return $script;
    }

    /** A run that answers with this output, for a request with `output_schema`; its text is the JSON. */
    public static function output(mixed $output): self
    {
        $json = json_encode($output, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);

        return self::text($json)->withOutput(json_decode($json, false, 512, JSON_THROW_ON_ERROR));
    }

    /** Says in the end whether a person should look at the output, as a skill does whose model is not sure. */
    public function needsReview(bool $needs = true): self
    {
        return $this->with(static function (self $script) use ($needs): void {
            $last = count($script->steps) - 1;
            $script->steps[$last] = ['needs_review' => $needs] + (array) $script->steps[$last];
        });
    }

    /**
     * A run that fails.
     *
     * @param array<string, mixed> $more such as retry_after_ms
     */
    public static function error(string $code, string $message = '', bool $retryable = false, array $more = []): self
    {
        $message = $message === '' ? "A fake failure: $code." : $message;
        $error = ['type' => 'error', 'code' => $code, 'message' => $message, 'retryable' => $retryable] + $more;

        return new self([self::START, $error]);
    }

    /**
     * These events; seq, run, ts and what the request wants echoed are added where they are missing. Nothing else is:
     * bring your own `done`.
     *
     * @param array<string, mixed> ...$events
     */
    public static function events(array ...$events): self
    {
        return new self(array_values($events));
    }

    /** What a worker wrote once: `agent-chat < request.json > FILE`. The events get the run's id. */
    public static function transcript(string $path): self
    {
        $steps = [];
        foreach (file($path, FILE_IGNORE_NEW_LINES | FILE_SKIP_EMPTY_LINES) ?: [] as $line) {
            $event = json_decode($line);
            if ($event instanceof \stdClass) {
                unset($event->expires_at); // it has passed, and nobody would be asked any more
            }
            $steps[] = $event instanceof \stdClass ? $event : "$line\n";
        }

        return new self($steps);
    }

    /** A request of a batch in the economy lane that the provider has not answered yet: there is no result of it. */
    public static function pending(): self
    {
        $script = new self([]);
        $script->isPending = true;

        return $script;
    }

    /** These bytes, as they are. */
    public static function bytes(string ...$chunks): self
    {
        return new self(array_values($chunks));
    }

    /**
     * Before it answers with its text, the model calls this tool of the application, and waits for the result.
     *
     * @param array<string, mixed> $input
     * @param string|null $effectKey what names the call's effect; if null, the same for the same tool and input
     */
    public function callingTool(string $name, array $input = [], ?string $effectKey = null): self
    {
        return $this->asksFirst(new Question(Question::APP_TOOL, $name, $input, $effectKey));
    }

    /**
     * Before it answers with its text, the model calls a tool that needs consent. Those asked for in a row are open at
     * the same time. Without an answer in a hundred ticks, the call is denied.
     *
     * @param array<string, mixed> $input
     */
    public function asking(string $tool, array $input = []): self
    {
        return $this->asksFirst(new Question(Question::PERMISSION, $tool, $input));
    }

    /**
     * Before it answers with its text, the model asks the user. Without an answer in a hundred ticks, it is told that
     * nobody answered.
     *
     * @param array<string, list<string>> $questions the options that are offered, by the text of the question
     */
    public function askingUser(array $questions, bool $multi = false): self
    {
        $option = static fn (string $label): array => ['label' => $label];
        $item = static fn (string $question): array => [
            'question' => $question,
            'options' => array_map($option, $questions[$question]),
            'multi' => $multi,
        ];

        return $this->asksFirst(Question::toUser(array_map($item, array_map(strval(...), array_keys($questions)))));
    }

    /**
     * Before it answers with its text, the model runs a tool that needs no consent, and that prints these pieces.
     *
     * @param array<string, mixed> $input
     * @param list<string> $pieces
     */
    public function running(string $tool, array $input = [], array $pieces = [], ?string $result = null): self
    {
        $id = ['tool_use_id' => 'toolu_run_' . count($this->steps)];
        $printed = array_map(
            static fn (string $text): array => ['type' => 'tool_output', 'stream' => 'stdout', 'text' => $text] + $id,
            $pieces,
        );
        $steps = [
            ['type' => 'tool_call', 'name' => $tool, 'input' => (object) $input] + $id,
            ...$printed,
            ['type' => 'tool_result', 'status' => 'ok', 'content' => $result ?? implode('', $pieces)] + $id,
        ];

        return $this->first(...$steps);
    }

    /**
     * Cuts the output into pieces, so that lines and characters arrive in halves.
     *
     * @param positive-int $bytes
     */
    public function inChunksOf(int $bytes): self
    {
        return $this->with(static fn (self $script) => $script->chunk = $bytes);
    }

    /** Dies in the middle of the line that follows the first events. */
    public function crashAfter(int $events, int $exitCode = ExitStatus::KILLED): self
    {
        return $this->with(static function (self $script) use ($events, $exitCode): void {
            $script->crashAfter = $events;
            $script->exitCode = $exitCode;
        });
    }

    /** Ends with exit status 0, but without a terminal event. */
    public function withoutTerminal(): self
    {
        return $this->with(static fn (self $script) => $script->isSilentAtTheEnd = true);
    }

    /** Ticks so often before each event, as a real run does five times a second; sleeps only if you ask for it. */
    public function slow(int $ticks = 1, float $sleepS = 0.0): self
    {
        return $this->with(static function (self $script) use ($ticks, $sleepS): void {
            $script->ticks = $ticks;
            $script->sleep = $sleepS;
        });
    }

    public function exitsWith(int $code): self
    {
        return $this->with(static fn (self $script) => $script->exitCode = $code);
    }

    public function stderr(string $text): self
    {
        return $this->with(static fn (self $script) => $script->stderr = $text);
    }

    /** @internal */
    public function isPending(): bool
    {
        return $this->isPending;
    }

    /** @internal */
    public function play(): ScriptedTransport
    {
        return new ScriptedTransport(
            $this->steps,
            $this->chunk,
            $this->crashAfter,
            $this->isSilentAtTheEnd,
            $this->ticks,
            $this->sleep,
            $this->exitCode,
            $this->stderr,
        );
    }

    /**
     * Adds an output where the request wants one and the script has none: the text, if that is JSON, else a sample. A
     * skill's schema is not known here.
     *
     * @internal
     */
    public function answering(Request $request): self
    {
        $schema = json_decode($request->toJson(), true)['output_schema'] ?? null;
        if (!$this->isText || ($schema === null && $request->get('skill') === null)) {
            return $this;
        }
        $given = json_decode($this->steps[count($this->steps) - 1]['text']);
        if ($given === null && $schema === null) {
            return $this;
        }

        return $this->withOutput($given ?? Sample::of($schema));
    }

    private function withOutput(mixed $output): self
    {
        return $this->with(static function (self $script) use ($output): void {
            $script->steps[count($script->steps) - 1]['output'] = $output;
            $script->isText = false;
        });
    }

    private function asksFirst(Question $question): self
    {
        return $this->first($question);
    }

    /** @param array<string, mixed>|Question ...$steps to be put before the text */
    private function first(array|Question ...$steps): self
    {
        $texts = array_filter($this->steps, static fn (mixed $step): bool => !$step instanceof Question
            && in_array(((array) $step)['type'] ?? null, ['delta', ...Event::TERMINAL], true));
        $place = array_key_first($texts) ?? count($this->steps);

        return $this->with(static function (self $script) use ($steps, $place): void {
            array_splice($script->steps, $place, 0, $steps);
        });
    }

    /** @param \Closure(self): mixed $change */
    private function with(\Closure $change): self
    {
        $copy = clone $this;
        $change($copy);

        return $copy;
    }
}
