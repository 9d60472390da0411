<?php

declare(strict_types=1);

namespace AgentWorkers\Testing;

use AgentWorkers\Batch\Batch;
use AgentWorkers\Batch\BatchOptions;
use AgentWorkers\Batch\BatchRunner;
use AgentWorkers\Event\Done;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Exception\StrayRunException;
use AgentWorkers\Fleet\Fleet;
use AgentWorkers\Fleet\JobOptions;
use AgentWorkers\Request;
use AgentWorkers\Run;
use AgentWorkers\Runner;
use PHPUnit\Framework\Assert;
use Psr\Log\LoggerInterface;
use Psr\Log\NullLogger;

/**
 * Runs scripts instead of agents, and remembers what it was asked to do. Only the worker's bytes are made up: they are
 * read by the same code as a real worker's.
 *
 * An answer is a Script, a string (the text), an array (the output), or a closure that takes the request and the name
 * of the worker, and gives one of those. A request with `output_schema` gets an output that satisfies it, unless the
 * answer brings one.
 */
final class FakeRunner implements Runner, BatchRunner
{
    private const ANY = '';
    /** Before the name of a skill, where others have the name of a worker. */
    private const SKILL = 'skill:';

    /** @var array<string, list<mixed>> answers by worker, or skill */
    private array $queues = [];
    /** @var array<string, \Closure> by worker, what answers each run that nothing else does */
    private array $closures = [];
    /** @var list<array{\Closure(Request): bool, mixed}> */
    private array $rules = [];
    /** @var list<Request> */
    private array $requests = [];
    /** @var list<string|null> who was to run them */
    private array $workers = [];
    /** @var array<int, JobOptions|null> how they wait in the fleet */
    private array $jobs = [];
    /** @var list<ScriptedTransport> */
    private array $transports = [];
    /** @var list<BatchOptions> of the batches */
    private array $batches = [];
    private ?LoggerInterface $logger = null;
    private bool $allowsStrayRuns = true;

    /** One answer for each run, in this order, or as one list. A closure alone answers every run. */
    public function __construct(Script|string|array|\Closure ...$answers)
    {
        $this->answer(self::ANY, array_values($answers));
    }

    /**
     * Answers for the runs of this worker, in the form of the constructor's. They come before those for all workers.
     */
    public function worker(string $name, Script|string|array|\Closure ...$answers): self
    {
        $this->answer($name, array_values($answers));

        return $this;
    }

    /**
     * Answers for the runs of this skill, in the form of the constructor's: an array is an output, a list of arrays one
     * output after the other. They come before those for the worker.
     */
    public function skill(string $name, Script|string|array|\Closure ...$answers): self
    {
        $this->answer(self::SKILL . $name, array_values($answers));

        return $this;
    }

    /**
     * An answer for every run whose prompt this is; `*` stands for any characters. Comes before all others. A skill has
     * no prompt.
     *
     * @param string|\Closure(Request): bool $prompt
     */
    public function when(string|\Closure $prompt, Script|string|array|\Closure $answer): self
    {
        $this->rules[] = [self::matcher($prompt), $answer];

        return $this;
    }

    /** Makes a run for which no answer is left an error; by default its answer is an empty text. */
    public function preventStrayRuns(bool $prevent = true): self
    {
        $this->allowsStrayRuns = !$prevent;

        return $this;
    }

    /** Gets what a real runner logs, such as exceptions of the application's tools. */
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
        return $this->start($request, null);
    }

    /** The scripts are the next ones, as for single runs. `agent-chat` counts as the worker `chat`. */
    public function batch(iterable $requests, BatchOptions $options = new BatchOptions()): Batch
    {
        $this->batches[] = $options;
        $mayBeOut = $options->economy && !$options->wait;
        $start = fn (Request $request, string $worker): ?Run
            => $this->begin($request, (string) preg_replace('/^agent-/', '', $worker), $mayBeOut);

        return new Batch(new FakeBatch($start, $requests, $options));
    }

    /**
     * Returns a runner whose runs count as this worker's.
     *
     * @param JobOptions|null $job how they wait in the fleet; null where the fleet does not run them
     */
    public function as(string $worker, ?JobOptions $job = null): Runner
    {
        return new FakeWorker($this, $worker, $job);
    }

    /** @internal */
    public function start(Request $request, ?string $worker, ?JobOptions $job = null): Run
    {
        if ($job !== null && $request->hasCredential()) {
            throw new InvalidArgumentException(Fleet::NO_KEYS);
        }
        $run = $this->begin($request, $worker, false);
        $this->jobs[count($this->requests) - 1] = $job;

        return $run;
    }

    /**
     * @param string|null $worker its runs alone, or all
     *
     * @return list<Request> what was run, in order
     */
    public function requests(?string $worker = null): array
    {
        $isMeant = fn (int $number): bool => $worker === null || $this->workers[$number] === $worker;

        return array_values(array_filter($this->requests, $isMeant, ARRAY_FILTER_USE_KEY));
    }

    /** @return list<array<string, mixed>> the control messages of all runs, by the contract's names */
    public function controls(): array
    {
        $controls = static fn (ScriptedTransport $transport): array => $transport->controls();

        return array_merge(...array_map($controls, $this->transports));
    }

    /**
     * @param string|\Closure(Request, ?string): bool $prompt gets the request and the name of the worker
     * @param string|null $worker who was to run it, or anybody
     */
    public function assertRan(string|\Closure $prompt, ?string $worker = null): void
    {
        $message = 'The expected run was not started.' . $this->told();
        Assert::assertGreaterThan(0, $this->count($prompt, $worker), $message);
    }

    /** @param string|\Closure(Request, ?string): bool $prompt */
    public function assertNotRan(string|\Closure $prompt, ?string $worker = null): void
    {
        Assert::assertSame(0, $this->count($prompt, $worker), 'An unexpected run was started.' . $this->told());
    }

    public function assertNothingRan(?string $worker = null): void
    {
        Assert::assertCount(0, $this->requests($worker), 'Runs were started.' . $this->told());
    }

    /** @param string|\Closure(Request, ?string): bool|null $prompt all runs, where it is null */
    public function assertRanTimes(int $times, string|\Closure|null $prompt = null, ?string $worker = null): void
    {
        $count = $this->count($prompt ?? static fn (): bool => true, $worker);
        Assert::assertSame($times, $count, 'The number of runs differs.' . $this->told());
    }

    /**
     * @param (\Closure(array<string, mixed>, Request): bool)|null $matches gets the input and the request; any run of
     *     the skill, where it is null
     */
    public function assertSkillRan(string $skill, ?\Closure $matches = null): void
    {
        $this->assertRan(self::ofSkill($skill, $matches));
    }

    /** @param (\Closure(array<string, mixed>, Request): bool)|null $matches gets the input and the request */
    public function assertSkillNotRan(string $skill, ?\Closure $matches = null): void
    {
        $this->assertNotRan(self::ofSkill($skill, $matches));
    }

    public function assertSkillRanTimes(string $skill, int $times): void
    {
        $this->assertRanTimes($times, self::ofSkill($skill, null));
    }

    /** @param \Closure(BatchOptions): bool $matches such as fn (BatchOptions $options) => $options->economy */
    public function assertBatchRan(\Closure $matches): void
    {
        Assert::assertNotEmpty(array_filter($this->batches, $matches), 'The expected batch was not started.');
    }

    /**
     * Asserts that a run went to the fleet.
     *
     * @param string|\Closure(Request, JobOptions): bool|null $matches the prompt, or what gets the request and how it
     *     waits, such as fn (Request $request, JobOptions $job) => $job->get('queue') === 'night'; any run, if null
     */
    public function assertOnFleet(string|\Closure|null $matches = null): void
    {
        Assert::assertNotEmpty($this->onFleet($matches), 'The expected run did not go to the fleet.' . $this->told());
    }

    /** @param string|\Closure(Request, JobOptions): bool|null $matches */
    public function assertNotOnFleet(string|\Closure|null $matches = null): void
    {
        Assert::assertEmpty($this->onFleet($matches), 'An unexpected run went to the fleet.' . $this->told());
    }

    /** @param \Closure(array<string, mixed>): bool $control */
    public function assertSent(\Closure $control): void
    {
        Assert::assertNotEmpty(array_filter($this->controls(), $control), 'No such control message was sent.');
    }

    /**
     * Asserts that a tool of the application, called by a script, has given a result that is no error.
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

    /** Asserts that a call was allowed that a script asked for. */
    public function assertAllowed(string $tool): void
    {
        $this->assertSettled(Question::PERMISSION, $tool, 'ok', null);
    }

    /** @param string|null $message what the model was told; no answer is a denial, too */
    public function assertDenied(string $tool, ?string $message = null): void
    {
        $this->assertSettled(Question::PERMISSION, $tool, 'denied', $message);
    }

    /**
     * Asserts that this question of the agent, put by a script, was answered.
     *
     * @param string|list<string>|null $answer what was answered; anything, where it is null
     */
    public function assertAnswered(string $question, string|array|null $answer = null): void
    {
        $isExpected = static fn (array $control): bool => $control['type'] === 'answer'
            && isset($control['answers'][$question])
            && ($answer === null || $control['answers'][$question] === $answer);
        $this->assertSent($isExpected);
    }

    /** Asserts that this was said to an agent while it worked. */
    public function assertSteered(string $text): void
    {
        $this->assertSent(static fn (array $control): bool
            => $control['type'] === 'steer' && $control['text'] === $text);
    }

    public function assertAborted(): void
    {
        $this->assertSent(static fn (array $control): bool => $control['type'] === 'abort');
    }

    /** @return \Closure(Request): bool */
    private static function ofSkill(string $skill, ?\Closure $matches): \Closure
    {
        return static fn (Request $request): bool => $request->get('skill') === $skill
            && ($matches === null || $matches((array) $request->get('input'), $request));
    }

    /** @return ($mayBeOut is true ? Run|null : Run) null where the provider is to answer later */
    private function begin(Request $request, ?string $worker, bool $mayBeOut): ?Run
    {
        $request = $request->withoutCredential(); // hasCredential() still says that there was one
        $script = $this->script($this->answerTo($request, $worker), $request, $worker);
        if ($script->isPending() && !$mayBeOut) {
            throw new LogicException('Only a batch in the economy lane that does not wait has requests pending.');
        }
        $transport = $script->answering($request)->play();
        $run = new Run($request, $transport, $this->logger ?? new NullLogger(), INF);
        $this->requests[] = $run->request;
        $this->workers[] = $worker;
        $this->transports[] = $transport;

        return $script->isPending() ? null : $run;
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

    /** @param string|\Closure(Request, ?string): bool $prompt */
    private function count(string|\Closure $prompt, ?string $worker): int
    {
        $matches = self::matcher($prompt);
        $isMeant = static fn (Request $request, ?string $by): bool
            => ($worker === null || $worker === $by) && $matches($request, $by);

        return count(array_filter(array_map($isMeant, $this->requests, $this->workers)));
    }

    /**
     * @param string|\Closure(Request, JobOptions): bool|null $matches
     *
     * @return array<int, JobOptions>
     */
    private function onFleet(string|\Closure|null $matches): array
    {
        $isMeant = $matches instanceof \Closure ? $matches : self::matcher($matches ?? '*');

        return array_filter(
            array_filter($this->jobs),
            fn (JobOptions $job, int $number): bool => $isMeant($this->requests[$number], $job),
            ARRAY_FILTER_USE_BOTH,
        );
    }

    private function told(): string
    {
        $line = static fn (Request $request, ?string $worker): string
            => "\n- " . ($worker === null ? '' : "$worker: ") . ($request->get('skill') ?? $request->promptText());
        $lines = array_map($line, $this->requests, $this->workers);

        return "\nStarted:" . ($lines === [] ? ' nothing' : implode('', $lines));
    }

    /** @param list<mixed> $answers */
    private function answer(string $worker, array $answers): void
    {
        if (count($answers) === 1 && $answers[0] instanceof \Closure) {
            $this->closures[$worker] = $answers[0];

            return;
        }
        if (count($answers) === 1 && is_array($answers[0]) && array_is_list($answers[0])) {
            $answers = $answers[0];
        }
        $this->queues[$worker] = [...$this->queues[$worker] ?? [], ...$answers];
    }

    private function answerTo(Request $request, ?string $worker): mixed
    {
        foreach ($this->rules as [$matches, $answer]) {
            if ($matches($request, $worker)) {
                return $answer;
            }
        }
        $skill = $request->get('skill');
        foreach ([self::SKILL . $skill, $worker ?? self::ANY, self::ANY] as $name) {
            if (($this->queues[$name] ?? []) !== []) {
                return array_shift($this->queues[$name]);
            }
            if (isset($this->closures[$name])) {
                return $this->closures[$name];
            }
        }

        $mayBeEmpty = $this->allowsStrayRuns && $skill === null; // a skill always has an output

        return $mayBeEmpty ? '' : throw new StrayRunException($request);
    }

    private function script(mixed $answer, Request $request, ?string $worker): Script
    {
        return match (true) {
            $answer instanceof Script => $answer,
            $answer instanceof \Closure => $this->script($answer($request, $worker), $request, $worker),
            is_string($answer), $answer === null => Script::text((string) $answer),
            is_array($answer) => Script::output($answer),
            default => throw new InvalidArgumentException(
                'A fake answer must be a string, an array, a Script or a closure that returns one of them, not '
                    . get_debug_type($answer) . '.',
            ),
        };
    }

    /**
     * @param string|\Closure(Request): bool $prompt
     *
     * @return \Closure(Request, ?string): bool
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
