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
use AgentWorkers\Event\ToolCall;
use AgentWorkers\Event\ToolOutput;
use AgentWorkers\Event\ToolResult;
use AgentWorkers\Progress;
use AgentWorkers\Request;
use AgentWorkers\Tests\Workers;
use AgentWorkers\ToolContent;
use PHPUnit\Framework\TestCase;
use Symfony\Component\Process\Process;

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
    private const ACME = ['name' => 'Acme', 'city' => 'Köln', 'rating' => 1.0];
    private const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk'
        . '+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    /** What the model calls in a run of agent-chat, one step after the other. */
    private const STEPS = [
        'throws' => [['mcp__app__find_partner', ['name' => 'Throws']]],
        'breaks the schema' => [
            ['mcp__app__find_partner', ['name' => 7]],
            ['mcp__app__find_partner', ['nom' => 'Acme']],
        ],
        'gives an image' => [['mcp__app__find_partner', ['name' => 'Logo']]],
        'is refused' => [['mcp__app__find_photo', ['name' => 'Acme']]],
        'prints' => [['mcp__app__find_partner', ['name' => 'Prints']]],
        'is large' => [['mcp__app__find_partner', ['name' => 'Large']]],
        'answers' => [['mcp__app__find_partner', ['name' => 'Acme']]],
    ];

    /** @var array<string, list<Event>>|null the events of that run since a step began; before the first, those of '' */
    private static ?array $chat = null;
    /** What its handler has printed, and what was seen of that. */
    private static string $printed = '';
    private static string $seen = '';
    /** @var array{list<Event>, string}|null the events of a run of agent-task, and what its tools have printed */
    private static ?array $task = null;
    /** @var array{list<Event>, list<string>}|null the events of a run whose call is late, and which calls were run */
    private static ?array $late = null;
    /** @var array{list<Event>, array<string>}|null the events of a run that asks for permissions, and the files made */
    private static ?array $asked = null;
    /** @var array{list<Event>, array<string>}|null the events of a run whose question stays open, and the files made */
    private static ?array $unanswered = null;

    /** @dataProvider workers */
    public function testTheAnswerOfAHandlerReachesTheModel(string $worker): void
    {
        [$session, $events] = match ($worker) {
            'agent-chat' => [$this->chat(''), $this->chat('answers')],
            'agent-task' => [$this->taskOfAll()[0], $this->taskOfAll()[0]],
        };

        self::assertContains('mcp__app__find_partner', self::of(Session::class, $session)[0]->tools);
        $results = self::of(ToolResult::class, $events);
        $result = end($results);
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
        [$result] = self::of(ToolResult::class, $this->chat('throws'));
        self::assertSame(['error', 'The tool failed.'], [$result->status, $result->content]);
        self::assertInstanceOf(Done::class, self::last($this->chat('answers')));
    }

    public function testInputThatBreaksTheSchemaNeverReachesTheHandler(): void
    {
        $events = $this->chat('breaks the schema');

        self::assertSame([], self::of(AppToolCall::class, $events));
        self::assertSame(['error', 'error'], array_column(self::of(ToolResult::class, $events), 'status'));
    }

    public function testAHandlerThatTakesTooLongIsTooLateAndHarmsNothing(): void
    {
        [$events] = $this->late();

        self::assertSame('error', self::of(ToolResult::class, $events)[0]->status);
        self::assertInstanceOf(Done::class, self::last($events));
    }

    public function testACallThatTimedOutWhileAnotherRanIsNotRunAnyMore(): void
    {
        [$events, $ran] = $this->late();

        self::assertSame(['Acme'], $ran);
        self::assertSame(['error', 'error'], array_column(self::of(ToolResult::class, $events), 'status'));
    }

    public function testAnImageReachesTheModel(): void
    {
        [$result] = self::of(ToolResult::class, $this->chat('gives an image'));

        self::assertSame('ok', $result->status);
        self::assertStringContainsString('The logo:', $result->content);
    }

    public function testAResultThatTheWorkerRefusesLeavesNoCallWaiting(): void
    {
        $events = $this->chat('is refused');

        [$result] = self::of(ToolResult::class, $events);
        self::assertSame(['error', 'The tool gave a result that cannot be sent.'], [$result->status, $result->content]);
        self::assertSame([false, true], array_column(self::of(Ack::class, $events), 'ok'));
    }

    public function testALargeResultIsTakenByTheWorker(): void
    {
        self::assertSame([true], array_column(self::of(Ack::class, $this->chat('is large')), 'ok'));
        self::assertInstanceOf(Done::class, self::last($this->chat('answers')));
    }

    public function testThreeQuestionsAtOnceGetTheirOwnAnswersInAnyOrder(): void
    {
        [$events] = $this->asked();
        $settled = array_column(self::of(PermissionResolved::class, $events), 'behavior');
        $results = array_slice(self::of(ToolResult::class, $events), 0, 3);

        self::assertSame(['allow', 'deny', 'allow'], array_slice($settled, 0, 3));
        $told = implode("\n", array_map(static fn (ToolResult $it): string => "$it->status $it->content", $results));
        self::assertSame(2, substr_count($told, 'content of three'));
        self::assertStringContainsString('denied Not two.', $told);
        self::assertStringNotContainsString('content of one', $told);
    }

    public function testNoAnswerAndAnswersToOtherQuestionsAllowNothing(): void
    {
        [$events, $made] = $this->unanswered();

        self::assertSame(['not_pending'], array_column(self::of(Ack::class, $events), 'code'));
        [$settled] = self::of(PermissionResolved::class, $events);
        self::assertSame(['deny', 'timeout'], [$settled->behavior, $settled->by]);
        self::assertSame([], $made);
        self::assertInstanceOf(Done::class, self::last($events));
    }

    public function testAHandlerThatThrowsDenies(): void
    {
        [$events, $made] = $this->asked();

        $result = self::of(ToolResult::class, $events)[3];
        self::assertSame('denied', $result->status);
        self::assertStringNotContainsString('geheim', $result->content);
        self::assertSame([], $made);
    }

    public function testALaterRunBringsTheDecision(): void
    {
        $runner = $this->agent('agent-task', $this->scenario(['Bash', self::touch('made')]));
        $first = $runner->run($this->task()->permissions(mode: 'defer'));
        self::assertSame('permission_required', $first->stopReason);
        self::assertSame(['Bash', 'touch made'], [$first->pending['name'], $first->pending['input']['command']]);
        $request = $this->task()->session(resume: $first->sessionId);
        $state = $this->directory() . '/state';
        (new Process(['cp', '-a', $state, "$state-of-the-first"]))->mustRun();
        foreach (self::decisions() as $name => [$decision, $made]) {
            (new Process(['rm', '-rf', $state, ...glob($this->directory() . '/folder/*')]))->mustRun();
            (new Process(['cp', '-a', "$state-of-the-first", $state]))->mustRun();
            $later = $request->decision($first->pending['tool_use_id'], $decision);
            $second = $this->agent('agent-task', 'hello')->run($later);

            self::assertSame(['end_turn', null], [$second->stopReason, $second->pending], $name);
            self::assertSame($made, array_map('basename', glob($this->directory() . '/folder/*')), $name);
        }
    }

    /** @return iterable<string, array{Decision, list<string>}> */
    private static function decisions(): iterable
    {
        yield 'allowed' => [Decision::allow(), ['made']];
        yield 'allowed otherwise' => [Decision::allow(self::touch('better')), ['better']];
        yield 'denied' => [Decision::deny('No.'), []];
    }

    public function testWhatACommandPrintsIsSeenWhileItRunsAndTheUserAnswersTheAgent(): void
    {
        [$events, $printed] = $this->taskOfAll();

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
        $events = $this->chat('prints');
        [$result] = self::of(ToolResult::class, $events);
        [$lines, $key] = explode(' ', $result->content);

        self::assertLessThan(10_000, (int) $lines);
        self::assertNotSame('', self::$seen);
        self::assertSame(self::$printed, self::$seen);
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
        $done = self::last($this->unanswered()[0]);

        self::assertInstanceOf(Done::class, $done, $done->toJson());
        self::assertSame('end_turn', $done->stopReason);
    }

    /** @return list<Event> since this step of a run of agent-chat began */
    private function chat(string $step): array
    {
        return (self::$chat ??= $this->runChat())[$step];
    }

    /** @return array<string, list<Event>> */
    private function runChat(): array
    {
        self::$printed = self::$seen = '';
        $find = static fn (array $input, Progress $progress, AppToolCall $call): mixed => match ($input['name']) {
            'Acme' => self::ACME,
            'Throws' => throw new \DomainException('password=geheim'),
            'Logo' => (new ToolContent())->text('The logo:')->image(base64_decode(self::PIXEL), 'image/png'),
            'Large' => str_repeat("\u{fc}\n", 1 << 20),
            'Prints' => self::prints($progress, $call),
        };
        $request = self::request()->toolOutput()
            ->appTool('find_partner', 'Finds a partner.', self::FIND, $find)
            ->appTool('find_photo', 'Finds a photo.', self::FIND);
        $run = $this->agent('agent-chat', $this->steps(...array_values(self::STEPS)))->stream($request);
        $run->onToolOutput(static function (ToolOutput $output): void {
            self::$seen .= $output->text;
        });
        $events = [];
        $now = '';
        foreach ($run as $event) {
            foreach (self::STEPS as $step => $calls) {
                $now = $event instanceof ToolCall && [$event->name, $event->input] === $calls[0] ? $step : $now;
            }
            $events[$now][] = $event;
            if ($event instanceof AppToolCall && $event->name === 'find_photo') {
                $run->toolResult($event->callId, [['type' => 'video']]);
            }
        }

        return $events;
    }

    private static function prints(Progress $progress, AppToolCall $call): string
    {
        for ($i = 0; self::$seen === '' && $i < 10_000; $i++) { // ends early only if events are read meanwhile
            $progress->write("line $i\n");
            self::$printed .= "line $i\n";
        }

        return "$i $call->effectKey";
    }

    /** @return array{list<Event>, string} of a task with a command, a question to the user and a tool of ours */
    private function taskOfAll(): array
    {
        return self::$task ??= (function (): array {
            $command = 'echo one; until [ -e go ]; do sleep 0.01; done; echo two >&2; exit 3';
            $steps = $this->steps(
                [
                    ['Bash', ['command' => $command, 'description' => 'Waits']],
                    ['AskUserQuestion', ['questions' => self::QUESTIONS]],
                ],
                [['mcp__app__find_partner', ['name' => 'Acme']]],
            );
            $task = $this->task()->tools(['Bash', 'AskUserQuestion'])->questions(60)->permissions(allow: ['Bash'])
                ->toolOutput()
                ->appTool('find_partner', 'Finds a partner.', self::FIND, static fn (): array => self::ACME);
            $run = $this->agent('agent-task', $steps)->stream($task)->actor('user-7');
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

            return [$events, $printed];
        })();
    }

    /** @return array{list<Event>, list<string>} of two calls at once to a handler that takes too long */
    private function late(): array
    {
        return self::$late ??= (function (): array {
            $ran = [];
            $slow = static function (array $input) use (&$ran): string {
                $ran[] = $input['name'];
                usleep(5_000_000); // the other call comes meanwhile, on a busy machine too, and waits in vain

                return 'late';
            };
            $calls = [['mcp__app__find_partner', ['name' => 'Acme']], ['mcp__app__find_partner', ['name' => 'Zeta']]];
            $request = self::request()->appTool('find_partner', 'Finds a partner.', self::FIND, $slow, 0.3);
            $events = self::events($this->agent('agent-chat', $this->scenario(...$calls))->stream($request));

            return [$events, $ran];
        })();
    }

    /** @return array{list<Event>, array<string>} of three questions at once, and one whose handler throws */
    private function asked(): array
    {
        return self::$asked ??= (function (): array {
            $files = $calls = [];
            foreach (['one', 'two', 'three'] as $name) {
                $files[$name] = $this->directory() . "/$name";
                file_put_contents($files[$name], "content of $name");
                $calls[] = ['Read', ['file_path' => $files[$name]]];
            }
            $task = $this->task()->tools(['Read', 'Bash'])->permissions(mode: 'ask');
            $run = $this->agent('agent-task', $this->steps($calls, [['Bash', self::touch('no')]]))->stream($task);
            $open = $events = [];
            $settled = 0;
            $run->onPermission(static function (PermissionRequest $asked) use ($files, &$open, &$settled): ?Decision {
                $open[$asked->permissionId] = true;

                return match ($asked->input['file_path'] ?? throw new \DomainException('geheim')) {
                    $files['three'] => count($open) === 3 ? Decision::allow() : null,
                    $files['two'] => $settled === 1 ? Decision::deny('Not two.') : null,
                    $files['one'] => $settled === 2 ? Decision::allow(['file_path' => $files['three']]) : null,
                };
            });
            foreach ($run as $event) {
                $events[] = $event;
                $settled += (int) ($event instanceof PermissionResolved);
            }

            return [$events, glob($this->directory() . '/folder/*')];
        })();
    }

    /** @return array{list<Event>, array<string>} of a task with every field, and a question that stays open */
    private function unanswered(): array
    {
        return self::$unanswered ??= (function (): array {
            $task = $this->task();
            mkdir($more = $task->get('cwd') . '/more');
            $task = $task
                ->addDirs([$more])
                ->tools(['Agent', 'Read', 'Bash'])
                ->permissions(mode: 'ask', allow: ['Read'], deny: ['Bash(rm:*)'], timeoutS: 0.5)
                ->mcpServers([])
                ->agents(['reviewer' => ['description' => 'Reviews.', 'prompt' => 'Review.', 'tools' => ['Read']]]);
            $run = $this->agent('agent-task', $this->scenario(['Bash', self::touch('no')]))->stream($task);
            $run->onPermission(static fn (): ?bool => null);
            $events = [];
            foreach ($run as $event) {
                $events[] = $event;
                $event instanceof PermissionRequest && $run->decide(strrev($event->permissionId), Decision::allow());
            }

            return [$events, array_filter(glob($this->directory() . '/folder/*'), 'is_file')];
        })();
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
