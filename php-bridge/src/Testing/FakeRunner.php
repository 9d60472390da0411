<?php

declare(strict_types=1);

namespace AgentWorkers\Testing;

use AgentWorkers\Event\Done;
use AgentWorkers\Exception\StrayRunException;
use AgentWorkers\Request;
use AgentWorkers\Run;
use AgentWorkers\Runner;
use PHPUnit\Framework\Assert;
use Psr\Log\LoggerInterface;
use Psr\Log\NullLogger;

/**
 * Runs scripts instead of agents, and remembers what it was asked to do. Only the worker's bytes are made up: they are
 * read by the same code as a real worker's.
 */
final class FakeRunner implements Runner
{
    /** @var list<Script> */
    private array $queue;
    /** @var list<array{\Closure(Request): bool, Script}> */
    private array $rules = [];
    /** @var list<Request> */
    private array $requests = [];
    /** @var list<ScriptedTransport> */
    private array $transports = [];
    private ?LoggerInterface $logger = null;
    private bool $allowsStrayRuns = true;

    /** The scripts are played in this order, one for each run; a string is the text of an answer. */
    public function __construct(Script|string ...$scripts)
    {
        $this->queue = array_map(self::script(...), array_values($scripts));
    }

    /**
     * A script for every run whose prompt this is; `*` stands for any characters. Comes before the queue.
     *
     * @param string|\Closure(Request): bool $prompt
     */
    public function when(string|\Closure $prompt, Script|string $script): self
    {
        $this->rules[] = [self::matcher($prompt), self::script($script)];

        return $this;
    }

    /** Makes a run without a script an error; else it answers with an empty text. */
    public function preventStrayRuns(bool $prevent = true): self
    {
        $this->allowsStrayRuns = !$prevent;

        return $this;
    }

    /** Takes what a real runner logs, such as what the application's tools throw. */
    public function logger(LoggerInterface $logger): self
    {
        $this->logger = $logger;

        return $this;
    }

    public function run(Request $request): Done
    {
        return $this->stream($request)->wait();
    }

    public function stream(Request $request): Run
    {
        $transport = $this->scriptFor($request)->play();
        $run = new Run($request, $transport, $this->logger ?? new NullLogger(), INF);
        $this->requests[] = $run->request;
        $this->transports[] = $transport;

        return $run;
    }

    /** @return list<Request> what was run, in order */
    public function requests(): array
    {
        return $this->requests;
    }

    /** @return list<array<string, mixed>> the control messages of all runs, by the contract's names */
    public function controls(): array
    {
        $controls = static fn (ScriptedTransport $transport): array => $transport->controls();

        return array_merge(...array_map($controls, $this->transports));
    }

    /** @param string|\Closure(Request): bool $prompt */
    public function assertRan(string|\Closure $prompt): void
    {
        Assert::assertGreaterThan(0, $this->count($prompt), 'The expected run was not started.' . $this->told());
    }

    /** @param string|\Closure(Request): bool $prompt */
    public function assertNotRan(string|\Closure $prompt): void
    {
        Assert::assertSame(0, $this->count($prompt), 'An unexpected run was started.' . $this->told());
    }

    public function assertNothingRan(): void
    {
        Assert::assertCount(0, $this->requests, 'Runs were started.' . $this->told());
    }

    /** @param string|\Closure(Request): bool|null $prompt all runs, where it is null */
    public function assertRanTimes(int $times, string|\Closure|null $prompt = null): void
    {
        $count = $prompt === null ? count($this->requests) : $this->count($prompt);
        Assert::assertSame($times, $count, 'The number of runs differs.' . $this->told());
    }

    /** @param \Closure(array<string, mixed>): bool $control */
    public function assertSent(\Closure $control): void
    {
        Assert::assertNotEmpty(array_filter($this->controls(), $control), 'No such control message was sent.');
    }

    /**
     * A tool of the application that a script called has answered, and not by an error.
     *
     * @param string|null $content what the model was told
     */
    public function assertToolAnswered(string $tool, ?string $content = null): void
    {
        $this->assertSettled(Question::APP_TOOL, $tool, 'ok', $content);
    }

    /** @param string|null $message what the model was told */
    public function assertToolFailed(string $tool, ?string $message = null): void
    {
        $this->assertSettled(Question::APP_TOOL, $tool, 'error', $message);
    }

    /** A call that a script asked for was allowed. */
    public function assertAllowed(string $tool): void
    {
        $this->assertSettled(Question::PERMISSION, $tool, 'ok', null);
    }

    /** @param string|null $message what the model was told; no answer is a denial, too */
    public function assertDenied(string $tool, ?string $message = null): void
    {
        $this->assertSettled(Question::PERMISSION, $tool, 'denied', $message);
    }

    public function assertAborted(): void
    {
        $this->assertSent(static fn (array $control): bool => $control['type'] === 'abort');
    }

    private function assertSettled(string $kind, string $tool, string $status, ?string $text): void
    {
        $told = [];
        foreach ($this->transports as $transport) {
            foreach ($transport->questions() as $question) {
                $isMeant = [$question->kind, $question->name] === [$kind, $tool];
                $told = [...$told, ...($isMeant ? [[$question->status(), $question->text()]] : [])];
            }
        }
        $isExpected = static fn (array $one): bool => $one === [$status, $text ?? $one[1]];
        $found = array_filter($told, $isExpected);
        $list = implode('', array_map(static fn (array $one): string => "\n- $one[0]: $one[1]", $told));
        Assert::assertNotEmpty($found, "No call of $tool ended as expected.\nCalls:" . ($list ?: ' none'));
    }

    /** @param string|\Closure(Request): bool $prompt */
    private function count(string|\Closure $prompt): int
    {
        return count(array_filter($this->requests, self::matcher($prompt)));
    }

    private function told(): string
    {
        $prompts = array_map(static fn (Request $request): string => "\n- " . $request->promptText(), $this->requests);

        return "\nStarted:" . ($prompts === [] ? ' nothing' : implode('', $prompts));
    }

    private function scriptFor(Request $request): Script
    {
        foreach ($this->rules as [$matches, $script]) {
            if ($matches($request)) {
                return $script;
            }
        }
        if ($this->queue === [] && !$this->allowsStrayRuns) {
            throw new StrayRunException($request);
        }

        return array_shift($this->queue) ?? Script::text('');
    }

    private static function script(Script|string $script): Script
    {
        return is_string($script) ? Script::text($script) : $script;
    }

    /**
     * @param string|\Closure(Request): bool $prompt
     *
     * @return \Closure(Request): bool
     */
    private static function matcher(string|\Closure $prompt): \Closure
    {
        if ($prompt instanceof \Closure) {
            return $prompt;
        }
        $pattern = '/^' . str_replace('\*', '.*', preg_quote($prompt, '/')) . '$/s';

        return static fn (Request $request): bool => preg_match($pattern, $request->promptText()) === 1;
    }
}
