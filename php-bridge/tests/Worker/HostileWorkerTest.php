<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Worker;

use AgentWorkers\Event\Done;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Event\Notice;
use AgentWorkers\ProcessRunner;
use AgentWorkers\Tests\Workers;
use PHPUnit\Framework\TestCase;

final class HostileWorkerTest extends TestCase
{
    use Workers;

    public function testALineOf600KilobytesArrivesWhole(): void
    {
        $events = self::events($this->fixture('long-line')->stream(self::request()));

        self::assertSame(600_000, strlen(self::text($events)));
        self::assertInstanceOf(Done::class, end($events));
    }

    public function testALineBeyondTheCapCostsNoLaterLine(): void
    {
        $events = self::events($this->fixture('over-long-line')->stream(self::request()));

        self::assertSame(['start', 'notice', 'delta', 'done'], self::types($events));
        self::assertInstanceOf(Notice::class, $events[1]);
        self::assertSame('protocol_error', $events[1]->code);
        self::assertSame([1, 2, 3, 4], array_column($events, 'seq'));
        self::assertSame('after', self::text($events));
    }

    public function testBytesThatComeOneByOneMakeWholeCharacters(): void
    {
        $events = self::events($this->fixture('byte-by-byte')->stream(self::request()));

        self::assertSame('grüße 😀', self::text($events));
    }

    public function testLinesThatAreNoEventsAreLeftOutAndLoggedWithoutTheirContent(): void
    {
        $logger = new MemoryLogger();
        $events = self::events($this->fixture('garbage')->logger($logger)->stream(self::request()));

        self::assertSame(['start', 'delta', 'done'], self::types($events));
        self::assertCount(4, $logger->at('warning'));
        self::assertStringNotContainsString('stray', json_encode($logger->records));
    }

    public function testFiveMegabytesOfStderrNeitherBlockNorPileUp(): void
    {
        $run = $this->fixture('stderr-flood')->stream(self::request());

        self::assertSame(['start', 'done'], self::types($run));
        self::assertSame(64 * 1024, strlen($run->stderr()));
        self::assertStringEndsWith("the last words\n", $run->stderr());
    }

    /** @dataProvider earlyExits */
    public function testAWorkerThatStopsReadingItsStdinLosesNoEvent(string $behaviour, string $terminal): void
    {
        // As Laravel does: every notice becomes an exception.
        set_error_handler(static function (int $type, string $message, string $file, int $line): bool {
            throw new \ErrorException($message, 0, $type, $file, $line);
        });
        try {
            $request = self::request()->metadata(['big' => str_repeat('x', 5 << 20)]);
            $events = self::events($this->fixture($behaviour)->stream($request));
        } finally {
            restore_error_handler();
        }

        self::assertSame(['start', $terminal], self::types($events));
    }

    /** @return iterable<string, array{string, string}> */
    public static function earlyExits(): iterable
    {
        yield 'it exits' => ['refuses-early', 'error'];
        yield 'it lives on' => ['closes-stdin', 'done'];
    }

    public function testWaitingForAWorkerThatHasClosedItsStdinCostsLittle(): void
    {
        $request = self::request()->metadata(['big' => str_repeat('x', 5 << 20)]);
        $began = [hrtime(true) / 1e3, self::cpuTime()];
        self::events($this->fixture('closes-stdin')->stream($request));

        self::assertLessThan((hrtime(true) / 1e3 - $began[0]) / 2, self::cpuTime() - $began[1]);
    }

    public function testARequestOfFiveMegabytesArrivesWhole(): void
    {
        $big = str_repeat('x', 5 << 20);
        $events = self::events($this->fixture('echo')->stream(self::request()->metadata(['big' => $big])));

        self::assertContains('done', self::types($events));
    }

    /** @dataProvider lostWorkers */
    public function testEndingWithoutATerminalEventIsWorkerLost(string $behaviour, int $exitCode): void
    {
        $run = $this->fixture($behaviour)->stream(self::request());
        $events = self::events($run);
        $last = end($events);

        self::assertInstanceOf(ErrorEvent::class, $last);
        self::assertSame('worker_lost', $last->code);
        self::assertTrue($last->retryable);
        self::assertSame($run->id, $last->run);
        self::assertSame(count($events), $last->seq);
        self::assertSame($exitCode, $run->exitCode());
    }

    /** @return iterable<string, array{string, int}> */
    public static function lostWorkers(): iterable
    {
        yield 'a clean exit' => ['no-terminal', 0];
        yield 'a crash inside a line' => ['half-line', 1];
        yield 'SIGKILL' => ['killed', 137];
    }

    public function testTheEndOfALostRunBearsWhatTheRequestWasAboutToo(): void
    {
        $metadata = ['order' => 42, 'empty' => new \stdClass()];
        $request = self::request()->metadata($metadata)->subject('partner', 417)->user('ada')->goal('Keep it.');
        $events = self::events($this->fixture('no-terminal')->stream($request));

        self::assertSame(42, end($events)->metadata['order']);
        self::assertSame(['type' => 'partner', 'id' => '417'], end($events)->subject);
        self::assertSame(['ada', 'Keep it.'], [end($events)->user, end($events)->goal]);
        self::assertStringContainsString('"empty":{}', end($events)->toJson());
    }

    public function testTheStderrOfALostWorkerGoesToTheLogAndNotToTheClient(): void
    {
        $logger = new MemoryLogger();
        $events = self::events($this->fixture('half-line')->logger($logger)->stream(self::request()));

        self::assertStringContainsString('boom', $logger->records[1]['context']['stderr']);
        self::assertStringNotContainsString('boom', json_encode($events));
    }

    public function testALastLineWithoutANewlineCounts(): void
    {
        $events = self::events($this->fixture('no-last-newline')->stream(self::request()));

        self::assertSame('network', end($events)->code);
    }

    public function testAMissingWorkerIsSaidSo(): void
    {
        $run = (new ProcessRunner('/nonexistent/agent-chat'))->stream(self::request());
        $events = self::events($run);

        self::assertSame(['error'], self::types($events));
        self::assertSame('cli_missing', $events[0]->code);
        self::assertFalse($events[0]->retryable);
        self::assertSame(127, $run->exitCode());
        self::assertStringNotContainsString('nonexistent', $events[0]->toJson());
    }

    public function testAWorkerThatCannotBeExecutedIsMissingToo(): void
    {
        $file = $this->directory() . '/agent-chat';
        touch($file);
        $events = self::events((new ProcessRunner($file))->stream(self::request()));

        self::assertSame('cli_missing', $events[0]->code);
    }

    public function testAWorkerThatCannotBeStartedIsAnEventToo(): void
    {
        $run = $this->fixture('echo')->cwd('/nonexistent')->stream(self::request());

        self::assertSame('internal', self::events($run)[0]->code);
        self::assertStringContainsString('/nonexistent', $run->stderr());
    }

    public function testAnotherVersionOfTheContractIsAnErrorThatNoRetryCures(): void
    {
        $events = self::events($this->fixture('other-version')->stream(self::request()));

        self::assertSame(['error'], self::types($events));
        self::assertSame('unsupported_version', $events[0]->code);
        self::assertFalse($events[0]->retryable);
    }

    public function testAGrandchildThatHoldsStderrHoldsUpNothing(): void
    {
        $events = self::events($this->fixture('leaves-grandchild')->stream(self::request()));
        $pid = self::pid($events[0]);
        $outlived = self::isAlive($pid);
        posix_kill($pid, SIGKILL);

        self::assertSame(['start', 'done'], self::types($events));
        self::assertTrue($outlived, 'The run waited for the grandchild.');
    }

    /** In microseconds. */
    private static function cpuTime(): int
    {
        $usage = getrusage();

        return ($usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec']) * 1_000_000
            + $usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec'];
    }

    public function testTheFirstEventsComeWhileTheWorkerIsStillAtWork(): void
    {
        $file = $this->directory() . '/go-on';
        foreach ($this->fixture('waits-for-file')->stream(self::request()->metadata(['file' => $file])) as $event) {
            touch($file); // a buffered first event would never come
        }

        self::assertSame('done', $event->type);
    }
}
