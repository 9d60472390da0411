<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Testing;

use AgentWorkers\Event\Delta;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\Ping;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Exception\StrayRunException;
use AgentWorkers\Request;
use AgentWorkers\Testing\FakeRunner;
use AgentWorkers\Testing\Script;
use AgentWorkers\Tests\Workers;
use PHPUnit\Framework\AssertionFailedError;
use PHPUnit\Framework\TestCase;

final class FakeRunnerTest extends TestCase
{
    use Workers;

    public function testAStringIsAnAnswer(): void
    {
        $runner = new FakeRunner('Hello wörld, how are you?');
        $events = self::events($runner->stream(self::request()));

        self::assertSame(['start', 'session', ...array_fill(0, 5, 'delta'), 'done'], self::types($events));
        self::assertSame('Hello wörld, how are you?', self::text($events));
        self::assertSame(range(1, 8), array_column($events, 'seq'));
    }

    public function testARunThatBeginsAgainIsReadFromItsNewStart(): void
    {
        $start = ['type' => 'start', 'worker' => 'fake', 'worker_version' => '0', 'sdk_version' => '0'];
        $delta = static fn (string $text): array => ['type' => 'delta', 'text' => $text, 'block' => 1];
        $done = ['type' => 'done', 'text' => 'The', 'truncated_bytes' => 7, 'stop_reason' => 'end_turn', 'usage' => []];
        $script = Script::events(
            $start + ['simulated' => true],
            $delta('Lost'),
            $start + ['simulated' => true, 'attempt' => 2],
            $delta('The answer'),
            $done + ['duration_ms' => 1, 'turns' => 1],
        );
        $events = self::events((new FakeRunner($script))->stream(self::request()));

        self::assertSame(['start', 'delta', 'start', 'delta', 'done'], self::types($events));
        self::assertSame([1, 2, 1, 2, 3], array_column($events, 'seq'));
        self::assertSame('The answer', (new FakeRunner($script))->run(self::request())->text);
    }

    public function testAQuestionOfALostAttemptIsAskedNoMore(): void
    {
        $start = ['type' => 'start', 'worker' => 'fake', 'worker_version' => '0', 'sdk_version' => '0'];
        $question = ['type' => 'permission_request', 'permission_id' => 'p', 'tool_use_id' => 't', 'name' => 'Bash'];
        $script = Script::events(
            $start + ['simulated' => true],
            $question + ['input' => [], 'expires_at' => '2036-01-01T00:00:00Z'],
            $start + ['simulated' => true, 'attempt' => 2],
            ['type' => 'aborted', 'reason' => 'client'],
        )->slow(3);
        $asked = [];
        $run = (new FakeRunner($script))->stream(self::request())->onPermission(
            static function () use (&$asked, &$seen): ?bool {
                $asked[] = $seen;

                return null;
            },
        );
        $seen = 'first';
        foreach ($run as $event) {
            $seen = $event->type === 'start' && $event->attempt === 2 ? 'second' : $seen;
        }

        self::assertContains('first', $asked);
        self::assertNotContains('second', $asked);
    }

    public function testTheRequestsTraceIsRepeatedAtTheStart(): void
    {
        $trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
        $request = self::request()->traceparent($trace)->with('attempt', 2);
        [$start, , $last] = [...self::events((new FakeRunner('x'))->stream($request)), null];

        self::assertSame([$trace, 2], [$start->traceparent, $start->attempt]);
    }

    public function testScriptsArePlayedInTheirOrderAndByTheirPrompt(): void
    {
        $runner = (new FakeRunner('one', 'two'))->when('Weather in *', 'sunny');

        self::assertSame('one', $runner->run(Request::prompt('a'))->text);
        self::assertSame('sunny', $runner->run(Request::prompt('Weather in Oslo?'))->text);
        self::assertSame('two', $runner->run(Request::prompt('b'))->text);
        self::assertSame('', $runner->run(Request::prompt('c'))->text);
    }

    public function testAnErrorIsThrownAsByARealRunner(): void
    {
        $runner = new FakeRunner(Script::error('rate_limited', retryable: true, more: ['retry_after_ms' => 500]));

        try {
            $runner->run(self::request());
            self::fail('There was no failure.');
        } catch (RunFailedException $failure) {
            self::assertSame('rate_limited', $failure->event->code);
            self::assertSame(500, $failure->event->retryAfterMs);
        }
    }

    /** @dataProvider cuts */
    public function testLinesInHalvesAreReadAsWholeOnes(int $bytes): void
    {
        $script = Script::text("grüße 😀\nbye")->inChunksOf($bytes);

        self::assertSame("grüße 😀\nbye", self::text(self::events((new FakeRunner($script))->stream(self::request()))));
    }

    /** @return iterable<array{int}> */
    public static function cuts(): iterable
    {
        foreach ([...range(1, 20), 127] as $bytes) {
            yield "by $bytes" => [$bytes];
        }
    }

    public function testACrashLeavesHalfALineAndIsWorkerLost(): void
    {
        $run = (new FakeRunner(Script::text('Hello there')->crashAfter(3)))->stream(self::request());
        $events = self::events($run);

        self::assertSame(['start', 'session', 'delta', 'error'], self::types($events));
        self::assertSame('worker_lost', end($events)->code);
        self::assertSame(137, $run->exitCode());
    }

    public function testAnEndWithoutATerminalEventIsWorkerLost(): void
    {
        $events = self::events((new FakeRunner(Script::text('Hi')->withoutTerminal()))->stream(self::request()));

        self::assertSame('worker_lost', end($events)->code);
    }

    public function testRawBytesGoThroughTheRealReader(): void
    {
        $script = Script::bytes('{"v":1,"seq":1,"run":"r","ts":"t","ty', "pe\":\"ping\"}\ngarb", "age\n");
        $events = self::events((new FakeRunner($script))->stream(self::request()));

        self::assertInstanceOf(Ping::class, $events[0]);
        self::assertSame(['ping', 'error'], self::types($events));
    }

    public function testATranscriptIsPlayedAsTheRunOfTheRequest(): void
    {
        $file = $this->directory() . '/transcript.ndjson';
        $lines = array_map(
            static fn (Event $event): string => $event->toJson() . "\n",
            self::events((new FakeRunner('Hello there'))->stream(self::request()->metadata([]))),
        );
        file_put_contents($file, $lines);
        $run = (new FakeRunner(Script::transcript($file)))->stream(self::request()->run('mine'));
        $events = self::events($run);

        self::assertSame('Hello there', end($events)->text);
        self::assertSame(['mine'], array_values(array_unique(array_column($events, 'run'))));
    }

    public function testASlowScriptTicksAndDoesNotSleep(): void
    {
        $ticks = 0;
        $run = (new FakeRunner(Script::text('a b c')->slow(ticks: 10)))->stream(self::request());
        $run->onTick(static function () use (&$ticks): void {
            $ticks++;
        });
        self::types($run);

        self::assertGreaterThanOrEqual(60, $ticks);
    }

    public function testAFakeWorkerObeysAnAbort(): void
    {
        $runner = new FakeRunner('one two three');
        $run = $runner->stream(self::request());
        $events = [];
        foreach ($run as $event) {
            $events[] = $event;
            $event instanceof Delta && $run->abort();
        }

        self::assertSame(['start', 'session', 'delta', 'ack', 'aborted'], self::types($events));
        $runner->assertAborted();
    }

    public function testAFakeWorkerObeysAStop(): void
    {
        $run = (new FakeRunner('one two'))->stream(self::request());
        $run->onTick(static fn () => $run->stop());

        $this->expectException(RunAbortedException::class);
        $run->wait();
    }

    public function testAnAnswerToAPermissionRequestIsAcknowledgedAndSettled(): void
    {
        $runner = new FakeRunner(Script::events(
            ['type' => 'permission_request', 'permission_id' => 'p1', 'name' => 'Bash', 'input' => ['command' => 'ls']],
            ['type' => 'done', 'text' => ''],
        ));
        $run = $runner->stream(self::request());
        $events = [];
        foreach ($run as $event) {
            $events[] = $event;
            $event->type === 'permission_request' && $run->permission($event->permissionId, 'deny', 'No.');
        }

        self::assertSame(['permission_request', 'ack', 'permission_resolved', 'done'], self::types($events));
        self::assertSame('deny', $events[2]->behavior);
        $runner->assertSent(static fn (array $control): bool => $control['message'] === 'No.');
    }

    public function testItRemembersWhatRan(): void
    {
        $runner = new FakeRunner();
        $runner->assertNothingRan();
        $runner->run(Request::prompt('What is 6 times 7?')->model('opus'));

        $runner->assertRan('What is 6 times 7?');
        $runner->assertRan('What is * times 7?');
        $runner->assertRan(static fn (Request $request): bool => $request->get('model') === 'opus');
        $runner->assertNotRan('What is');
        $runner->assertRanTimes(1);
        $runner->assertRanTimes(0, 'Hello');
    }

    /** @dataProvider failedAssertions */
    public function testItsAssertionsFailWhenTheyShould(\Closure $assert): void
    {
        $runner = new FakeRunner();
        $runner->run(self::request());

        $this->expectException(AssertionFailedError::class);
        $assert($runner);
    }

    /** @return iterable<string, array{\Closure(FakeRunner): void}> */
    public static function failedAssertions(): iterable
    {
        yield 'nothing' => [static fn (FakeRunner $runner) => $runner->assertNothingRan()];
        yield 'ran' => [static fn (FakeRunner $runner) => $runner->assertRan('Bye')];
        yield 'not' => [static fn (FakeRunner $runner) => $runner->assertNotRan('Hello')];
        yield 'times' => [static fn (FakeRunner $runner) => $runner->assertRanTimes(2)];
        yield 'aborted' => [static fn (FakeRunner $runner) => $runner->assertAborted()];
    }

    public function testAStrayRunIsAnErrorWhereItIsNotWanted(): void
    {
        $runner = (new FakeRunner('one'))->preventStrayRuns();
        $runner->run(self::request());

        $this->expectException(StrayRunException::class);
        $runner->stream(self::request());
    }
}
