<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Worker;

use AgentWorkers\Decision;
use AgentWorkers\Event\Ack;
use AgentWorkers\Event\AppToolCall;
use AgentWorkers\Event\Done;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\PermissionRequest;
use AgentWorkers\Event\PermissionResolved;
use AgentWorkers\Event\Question;
use AgentWorkers\Event\QuestionResolved;
use AgentWorkers\Event\Session;
use AgentWorkers\Event\ToolOutput;
use AgentWorkers\Event\ToolResult;
use AgentWorkers\Progress;
use AgentWorkers\Request;
use AgentWorkers\Tests\Workers;
use AgentWorkers\ToolContent;
use PHPUnit\Framework\TestCase;

/** The real workers and the real agent; a script plays the model. */
final class RealToolsTest extends TestCase
{
    use Workers;

    private const QUESTIONS = [
        [
            'question' => 'Which colour?', 'header' => 'Colour', 'multiSelect' => false,
            'options' => [['label' => 'Red', 'description' => 'r'], ['label' => 'Blue', 'description' => 'b']],
        ],
        [
            'question' => 'Which trees?', 'header' => 'Trees', 'multiSelect' => true,
            'options' => [['label' => 'Oak', 'description' => 'o'], ['label' => 'Elm', 'description' => 'e']],
        ],
    ];
    private const FIND = [
        'type' => 'object', 'properties' => ['name' => ['type' => 'string']], 'required' => ['name'],
    ];

    /** @dataProvider workers */
    public function testTheAnswerOfAHandlerReachesTheModel(string $worker): void
    {
        $find = static fn (array $input): array => ['name' => $input['name'], 'city' => 'Köln', 'rating' => 1.0];
        $events = $this->asked($worker, [['find_partner', ['name' => 'Acme']]], $find);

        self::assertContains('mcp__app__find_partner', self::of(Session::class, $events)[0]->tools);
        [$result] = self::of(ToolResult::class, $events);
        self::assertSame(['ok', '{"name":"Acme","city":"Köln","rating":1.0}'], [$result->status, $result->content]);
        self::assertSame("All done. {$result->content}", self::last($events)->text);
    }

    /** @return iterable<string, array{string}> */
    public static function workers(): iterable
    {
        yield 'agent-chat' => ['agent-chat'];
        yield 'agent-task' => ['agent-task'];
    }

    public function testTheModelLearnsThatAHandlerHasThrownButNotWhat(): void
    {
        $throw = static fn (): mixed => throw new \DomainException('password=geheim');
        $events = $this->asked('agent-chat', [['find_partner', ['name' => 'Acme']]], $throw);

        [$result] = self::of(ToolResult::class, $events);
        self::assertSame(['error', 'The tool failed.'], [$result->status, $result->content]);
        self::assertInstanceOf(Done::class, self::last($events));
    }

    public function testInputThatBreaksTheSchemaNeverReachesTheHandler(): void
    {
        $never = static fn (): mixed => self::fail('The handler was called.');
        $calls = [['find_partner', ['name' => 7]], ['find_partner', ['nom' => 'Acme']]];
        $events = $this->asked('agent-chat', $calls, $never);

        self::assertSame([], self::of(AppToolCall::class, $events));
        self::assertSame(['error', 'error'], array_column(self::of(ToolResult::class, $events), 'status'));
    }

    public function testAHandlerThatTakesTooLongIsTooLateAndHarmsNothing(): void
    {
        $slow = static function (): string {
            usleep(900_000);

            return 'late';
        };
        $events = $this->asked('agent-chat', [['find_partner', ['name' => 'Acme']]], $slow, timeoutS: 0.2);

        self::assertSame(['error'], array_column(self::of(ToolResult::class, $events), 'status'));
        self::assertInstanceOf(Done::class, self::last($events));
    }

    public function testACallThatTimedOutWhileAnotherRanIsNotRunAnyMore(): void
    {
        $ran = [];
        $slow = static function (array $input) use (&$ran): string {
            $ran[] = $input['name'];
            usleep(5_000_000); // the other call comes meanwhile, on a busy machine too, and waits in vain

            return 'late';
        };
        $calls = [['find_partner', ['name' => 'Acme']], ['find_partner', ['name' => 'Zeta']]];
        $events = $this->asked('agent-chat', $calls, $slow, timeoutS: 0.3);

        self::assertSame(['Acme'], $ran);
        self::assertSame(['error', 'error'], array_column(self::of(ToolResult::class, $events), 'status'));
    }

    public function testAnImageReachesTheModel(): void
    {
        $pixel = base64_decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk'
            . '+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==');
        $logo = static fn (): ToolContent => (new ToolContent())->text('The logo:')->image($pixel, 'image/png');
        $events = $this->asked('agent-chat', [['find_partner', ['name' => 'Acme']]], $logo);

        [$result] = self::of(ToolResult::class, $events);
        self::assertSame('ok', $result->status);
        self::assertStringContainsString('The logo:', $result->content);
    }

    public function testAResultThatTheWorkerRefusesLeavesNoCallWaiting(): void
    {
        $request = self::request()->appTool('find_partner', 'Finds a partner.', self::FIND);
        $calls = $this->scenario(['mcp__app__find_partner', ['name' => 'Acme']]);
        $run = $this->agent('agent-chat', $calls)->stream($request);
        $events = [];
        foreach ($run as $event) {
            $events[] = $event;
            if ($event instanceof AppToolCall) {
                $run->toolResult($event->callId, [['type' => 'video']]);
            }
        }

        [$result] = self::of(ToolResult::class, $events);
        self::assertSame(['error', 'The tool gave a result that cannot be sent.'], [$result->status, $result->content]);
        self::assertSame([false, true], array_column(self::of(Ack::class, $events), 'ok'));
    }

    public function testALargeResultIsTakenByTheWorker(): void
    {
        $large = static fn (): string => str_repeat("\u{fc}\n", 1 << 20);
        $events = $this->asked('agent-chat', [['find_partner', ['name' => 'Acme']]], $large);

        self::assertSame([true], array_column(self::of(Ack::class, $events), 'ok'));
        self::assertInstanceOf(Done::class, self::last($events));
    }

    public function testThreeQuestionsAtOnceGetTheirOwnAnswersInAnyOrder(): void
    {
        $files = $calls = [];
        foreach (['one', 'two', 'three'] as $name) {
            $files[$name] = $this->directory() . "/$name";
            file_put_contents($files[$name], "content of $name");
            $calls[] = ['Read', ['file_path' => $files[$name]]];
        }
        $task = $this->task()->tools(['Read'])->permissions(mode: 'ask');
        $run = $this->agent('agent-task', $this->scenario(...$calls))->stream($task);
        $open = $settled = [];
        $run->onPermission(static function (PermissionRequest $question) use ($files, &$open, &$settled): ?Decision {
            $open[$question->permissionId] = true;

            return match ($question->input['file_path']) {
                $files['three'] => count($open) === 3 ? Decision::allow() : null,
                $files['two'] => count($settled) === 1 ? Decision::deny('Not two.') : null,
                $files['one'] => count($settled) === 2 ? Decision::allow(['file_path' => $files['three']]) : null,
            };
        });
        foreach ($run as $event) {
            $event instanceof PermissionResolved && $settled[] = $event->behavior;
            $event instanceof ToolResult && $results[] = "$event->status $event->content";
        }

        self::assertSame(['allow', 'deny', 'allow'], $settled);
        $told = implode("\n", $results);
        self::assertSame(2, substr_count($told, 'content of three'));
        self::assertStringContainsString('denied Not two.', $told);
        self::assertStringNotContainsString('content of one', $told);
    }

    public function testNoAnswerAndAnswersToOtherQuestionsAllowNothing(): void
    {
        $runner = $this->agent('agent-task', $this->scenario(['Bash', self::touch('no')]));
        $run = $runner->stream($this->task()->permissions(mode: 'ask', timeoutS: 0.5));
        $run->onPermission(static fn (): ?bool => null);
        $events = [];
        foreach ($run as $event) {
            $events[] = $event;
            $event instanceof PermissionRequest && $run->decide(strrev($event->permissionId), Decision::allow());
        }

        self::assertSame(['not_pending'], array_column(self::of(Ack::class, $events), 'code'));
        [$settled] = self::of(PermissionResolved::class, $events);
        self::assertSame(['deny', 'timeout'], [$settled->behavior, $settled->by]);
        self::assertSame([], glob($this->directory() . '/folder/*'));
        self::assertInstanceOf(Done::class, self::last($events));
    }

    public function testAHandlerThatThrowsDenies(): void
    {
        $runner = $this->agent('agent-task', $this->scenario(['Bash', self::touch('no')]));
        $run = $runner->stream($this->task()->permissions(mode: 'ask'));
        $events = self::events($run->onPermission(static fn (): bool => throw new \DomainException('geheim')));

        [$result] = self::of(ToolResult::class, $events);
        self::assertSame('denied', $result->status);
        self::assertStringNotContainsString('geheim', $result->content);
        self::assertSame([], glob($this->directory() . '/folder/*'));
    }

    /**
     * @dataProvider decisions
     *
     * @param list<string> $made
     */
    public function testALaterRunBringsTheDecision(Decision $decision, array $made): void
    {
        $runner = $this->agent('agent-task', $this->scenario(['Bash', self::touch('made')]));
        $first = $runner->run($this->task()->permissions(mode: 'defer'));
        self::assertSame('permission_required', $first->stopReason);
        self::assertSame(['Bash', 'touch made'], [$first->pending['name'], $first->pending['input']['command']]);
        $request = $this->task()->session(resume: $first->sessionId);
        $request = $request->decision($first->pending['tool_use_id'], $decision);
        $second = $this->agent('agent-task', 'hello')->run($request);

        self::assertSame(['end_turn', null], [$second->stopReason, $second->pending]);
        self::assertSame($made, array_map('basename', glob($this->directory() . '/folder/*')));
    }

    /** @return iterable<string, array{Decision, list<string>}> */
    public static function decisions(): iterable
    {
        yield 'allowed' => [Decision::allow(), ['made']];
        yield 'allowed otherwise' => [Decision::allow(self::touch('better')), ['better']];
        yield 'denied' => [Decision::deny('No.'), []];
    }

    public function testWhatACommandPrintsIsSeenWhileItRunsAndTheUserAnswersTheAgent(): void
    {
        $command = 'echo one; until [ -e go ]; do sleep 0.01; done; echo two >&2; exit 3';
        $task = $this->task()->questions(60)->permissions(allow: ['Bash'])->toolOutput();
        $run = $this->agent('agent-task', $this->scenario(
            ['Bash', ['command' => $command, 'description' => 'Waits']],
            ['AskUserQuestion', ['questions' => self::QUESTIONS]],
        ))->stream($task->tools(['Bash', 'AskUserQuestion']))->actor('user-7');
        $printed = '';
        $run->onToolOutput(function (ToolOutput $output) use (&$printed): void {
            $printed .= $output->text;
            touch($this->directory() . '/folder/go'); // without this the command never ends
        });
        $run->onQuestion(static fn (Question $question): array => [
            $question->questions[0]['question'] => $question->questions[0]['options'][1]['label'],
            $question->questions[1]['question'] => ['Oak', 'a tree of our own'],
        ]);
        $events = self::events($run);

        self::assertSame("one\ntwo\n", $printed);
        [$resolved] = self::of(QuestionResolved::class, $events);
        self::assertSame(['client', 'user-7'], [$resolved->by, $resolved->actor]);
        $told = implode("\n", array_column(self::of(ToolResult::class, $events), 'content'));
        self::assertStringContainsString('Blue', $told);
        self::assertStringContainsString('a tree of our own', $told);
        self::assertInstanceOf(Done::class, self::last($events));
    }

    public function testWhatAHandlerPrintsIsSeenWhileItRuns(): void
    {
        $seen = '';
        $printed = '';
        $find = static function (array $input, Progress $progress, AppToolCall $call) use (&$seen, &$printed): string {
            for ($i = 0; $seen === '' && $i < 10_000; $i++) { // ends early only if this process reads events meanwhile
                $progress->write("line $i\n");
                $printed .= "line $i\n";
            }

            return "$i $call->effectKey";
        };
        $request = self::request()->appTool('find_partner', 'Finds a partner.', self::FIND, $find)->toolOutput();
        $scenario = $this->scenario(['mcp__app__find_partner', ['name' => 'A']]);
        $run = $this->agent('agent-chat', $scenario)->stream($request);
        $run->onToolOutput(static function (ToolOutput $output) use (&$seen): void {
            $seen .= $output->text;
        });
        $events = self::events($run);
        [$result] = self::of(ToolResult::class, $events);
        [$lines, $key] = explode(' ', $result->content);

        self::assertLessThan(10_000, (int) $lines);
        self::assertSame($printed, $seen);
        self::assertMatchesRegularExpression('/^[0-9a-f]{64}$/', $key);
        self::assertSame([true], array_unique(array_column(self::of(Ack::class, $events), 'ok')));
    }

    public function testALaterRunBringsTheAnswersToADeferredQuestion(): void
    {
        $task = $this->task()->tools(['AskUserQuestion'])->permissions(mode: 'defer');
        $scenario = $this->scenario(['AskUserQuestion', ['questions' => self::QUESTIONS]]);
        $first = $this->agent('agent-task', $scenario)->run($task);
        self::assertSame(['permission_required', 'AskUserQuestion'], [$first->stopReason, $first->pending['name']]);
        $answers = Decision::answers(['Which colour?' => 'Green', 'Which trees?' => ['Oak']])->by('user-7');
        $request = $task->session(resume: $first->sessionId)->decision($first->pending['tool_use_id'], $answers);
        $events = self::events($this->agent('agent-task', 'hello')->stream($request));

        self::assertSame(['end_turn', null], [self::last($events)->stopReason, self::last($events)->pending]);
        $told = implode("\n", array_column(self::of(ToolResult::class, $events), 'content'));
        self::assertStringContainsString('Green', $told);
    }

    public function testEveryFieldOfATaskIsAcceptedByTheWorker(): void
    {
        $task = $this->task();
        mkdir($task->get('cwd') . '/more');
        $request = $task
            ->addDirs([$task->get('cwd') . '/more'])
            ->tools(['Agent', 'Read', 'Bash'])
            ->permissions(mode: 'ask', allow: ['Read'], deny: ['Bash(rm:*)'], timeoutS: 5)
            ->mcpServers([])
            ->agents(['reviewer' => ['description' => 'Reviews.', 'prompt' => 'Review.', 'tools' => ['Read']]]);

        self::assertSame('end_turn', $this->agent('agent-task', 'hello')->run($request)->stopReason);
    }

    /**
     * @param list<array{string, array<string, mixed>}> $calls
     *
     * @return list<Event>
     */
    private function asked(string $worker, array $calls, \Closure $handler, ?float $timeoutS = null): array
    {
        $calls = array_map(static fn (array $call): array => ["mcp__app__$call[0]", $call[1]], $calls);
        $request = $worker === 'agent-task' ? $this->task() : self::request();
        $request = $request->appTool('find_partner', 'Finds a partner.', self::FIND, $handler, $timeoutS);

        return self::events($this->agent($worker, $this->scenario(...$calls))->stream($request));
    }

    private function task(): Request
    {
        $directory = $this->directory() . '/folder';
        is_dir($directory) || mkdir($directory);

        return self::request()->cwd($directory)->tools(['Bash']);
    }

    /** @return array<string, string> */
    private static function touch(string $name): array
    {
        return ['command' => "touch $name", 'description' => 'Make a file'];
    }

    /**
     * @template T of Event
     *
     * @param class-string<T> $class
     * @param list<Event> $events
     *
     * @return list<T>
     */
    private static function of(string $class, array $events): array
    {
        return array_values(array_filter($events, static fn (Event $event): bool => $event instanceof $class));
    }

    /** @param list<Event> $events */
    private static function last(array $events): Event
    {
        return $events[count($events) - 1];
    }
}
