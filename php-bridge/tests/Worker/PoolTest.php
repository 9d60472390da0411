<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Worker;

use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\Ack;
use AgentWorkers\Event\Done;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\PoolRunner;
use AgentWorkers\ProcessRunner;
use AgentWorkers\Tests\Pools;
use AgentWorkers\Tests\Workers;
use PHPUnit\Framework\TestCase;
use Symfony\Component\Process\Process;

final class PoolTest extends TestCase
{
    use Pools;
    use Workers;

    private function pool(string $play, ?ProcessRunner $fallback = null): PoolRunner
    {
        $this->startPool($play);

        return new PoolRunner($this->socket(), 'agent-chat', $fallback);
    }

    /** @dataProvider answers */
    public function testAnAnswerComesWithoutThePoolsOwnLines(string $play): void
    {
        $logger = new MemoryLogger();
        $run = $this->pool($play)->logger($logger)->stream(self::request());
        $events = self::events($run);

        self::assertSame(['start', 'delta', 'done'], self::types($events));
        self::assertSame('Hello!', self::text($events));
        self::assertSame(0, $run->exitCode());
        self::assertSame([], $logger->at('warning'));
    }

    /** @return iterable<string, array{string}> */
    public static function answers(): iterable
    {
        yield 'all at once' => ['answers'];
        yield 'byte by byte' => ['byte_by_byte'];
        yield 'the last line in pieces' => ['splits_the_last_line'];
        yield 'the last line by itself' => ['says_its_last_line_later'];
        yield 'another line of the pool' => ['says_more_of_its_own'];
    }

    public function testThePoolIsToldTheWorkerItsNameAndThatControlMessagesMayFollow(): void
    {
        $this->pool('answers')->name('chat')->run(self::request());

        $first = ['pool' => 1, 'worker' => 'agent-chat', 'name' => 'chat', 'control' => true];
        self::assertSame([$first], $this->told('first'));
    }

    public function testAKeyOfTheRunsOwnReachesThePoolOrTheFallbackAndIsKeptNowhere(): void
    {
        $keyed = self::request()->credential('sk-ant-api03-of-a-user');
        $run = $this->pool('answers')->stream($keyed);
        $run->wait();

        self::assertSame('sk-ant-api03-of-a-user', $this->told('first')[0]['credential']);
        self::assertTrue($run->request->hasCredential());
        self::assertFalse(str_contains(print_r($run, true), 'sk-ant-api03-of-a-user'));
        $alone = new PoolRunner($this->directory() . '/none.sock', 'agent-chat', $this->fixture('keyed'));
        $seen = json_decode($alone->run($keyed)->text, true);
        self::assertSame(sha1('sk-ant-api03-of-a-user'), $seen['key']);
        self::assertArrayNotHasKey('credential', $seen['request']);
    }

    public function testWithoutALastLineTheEndOfTheConnectionIsTheEnd(): void
    {
        $run = $this->pool('has_no_last_line')->stream(self::request());

        self::assertSame(['start', 'delta', 'done'], self::types($run));
        self::assertNull($run->exitCode());
    }

    /** @dataProvider lostWorkers */
    public function testAConnectionThatEndsWithoutATerminalEventIsALostWorker(string $play, ?int $exitCode): void
    {
        $run = $this->pool($play)->stream(self::request());
        $events = self::events($run);
        $last = end($events);

        self::assertInstanceOf(ErrorEvent::class, $last);
        self::assertSame(['worker_lost', true], [$last->code, $last->retryable]);
        self::assertSame(2, $last->seq);
        self::assertSame($exitCode, $run->exitCode());
    }

    /** @return iterable<string, array{string, int|null}> */
    public static function lostWorkers(): iterable
    {
        yield 'after a line' => ['loses_its_worker', null];
        yield 'within a line' => ['closes_within_a_line', null];
        yield 'within the last line' => ['closes_within_the_last_line', null];
        yield 'the pool says so' => ['tells_of_a_crash', 137];
    }

    public function testWhatThePoolRefusesAtOnceIsReadThoughTheRequestIsNot(): void
    {
        $request = self::request()->metadata(['big' => str_repeat('x', 5 << 20)]);
        $run = $this->pool('refuses')->stream($request);
        $events = self::strictly(static fn (): array => self::events($run));

        self::assertSame(['error'], self::types($events));
        self::assertSame('policy_denied', $events[0]->code);
        self::assertSame(2, $run->exitCode());
    }

    public function testARequestOf32MegabytesArrivesWhileThePoolWritesHalfAMegabyteFirst(): void
    {
        $request = self::request()->run('big')->metadata(['big' => str_repeat('x', 32 << 20)]);
        $events = self::strictly(fn (): array => self::events($this->pool('reads_late')->stream($request)));

        self::assertSame(500_000, strlen(self::text($events)));
        self::assertInstanceOf(Done::class, end($events));
        self::assertSame([hash('sha256', $request->toJson() . "\n")], $this->told('request'));
    }

    public function testAnswersReachTheWorkerWhileItRuns(): void
    {
        $run = $this->pool('acknowledges')->stream(self::request());
        $received = [];
        foreach ($run as $event) {
            if ($event->type === 'start') {
                $run->permission('p1', 'allow');
                $run->abort();
            } elseif ($event instanceof Ack) {
                $received[] = $event->jsonSerialize()->received->type;
            }
        }

        self::assertSame(['permission', 'abort'], $received);
        self::assertSame('client', $event->reason);
        self::assertSame(3, $run->exitCode());
        self::assertNull($run->permission('p1', 'deny'));
    }

    public function testAStoppedRunGoesOnToItsTerminalEvent(): void
    {
        $run = $this->pool('stalls')->stream(self::request());
        $events = [];
        foreach ($run as $event) {
            $events[] = $event;
            $run->stop();
        }

        self::assertSame(['start', 'aborted'], self::types($events));
        self::assertSame('signal', end($events)->reason);
        self::assertSame([['pool' => 1, 'signal' => 15]], $this->told('told'));
    }

    public function testAWorkerThatObeysNothingIsKilledByTheEndOfTheConnection(): void
    {
        $run = $this->pool('obeys_nothing')->grace(0.3)->stream(self::request());
        foreach ($run as $event) {
            $run->stop();
        }

        self::assertInstanceOf(Aborted::class, $event);
        self::assertSame(137, $run->exitCode());
        self::eventually(fn (): bool => $this->told('closed') === [true], 'The connection did not end.');
    }

    public function testAWorkerThatDoesNotObeyAnAbortIsStopped(): void
    {
        $run = $this->pool('stalls')->grace(0.3)->stream(self::request());
        foreach ($run as $event) {
            $run->abort();
        }

        self::assertInstanceOf(Aborted::class, $event);
        $told = fn (): array => array_map(static fn ($told) => $told['type'] ?? null, $this->told('told'));
        self::eventually(static fn (): bool => $told() === ['abort', null], 'It was not told of both.');
    }

    public function testAPoolThatNeverReadsHoldsNothingUp(): void
    {
        $request = self::request()->limits(timeoutS: 0.1)->metadata(['big' => str_repeat('x', 5 << 20)]);
        $run = $this->pool('never_reads')->grace(0.2)->overtime(0.1)->stream($request);
        $events = self::events($run);

        self::assertSame('timeout', end($events)->code);
        self::assertSame(137, $run->exitCode());
    }

    public function testAWorkerThatLingersAfterItsTerminalEventIsStopped(): void
    {
        $run = $this->pool('lingers')->grace(0.3)->stream(self::request());

        self::assertSame(['start', 'delta', 'done'], self::types($run));
        self::eventually(fn (): bool => $this->told('closed') === [true], 'The connection did not end.');
        self::assertSame([['pool' => 1, 'signal' => 15]], $this->told('told'));
    }

    public function testLeavingTheLoopStopsTheWorker(): void
    {
        foreach ($this->pool('stalls')->grace(60)->stream(self::request()) as $event) {
            break;
        }

        self::assertSame([['pool' => 1, 'signal' => 15]], $this->told('told'));
    }

    public function testAnExceptionInATickStopsTheWorker(): void
    {
        $run = $this->pool('stalls')->stream(self::request());
        $begun = false;
        $run->onTick(static function () use (&$begun): void {
            $begun && throw new \DomainException();
        });
        try {
            foreach ($run as $event) {
                $begun = true;
            }
            self::fail('The exception did not arrive.');
        } catch (\DomainException) {
        }

        self::assertSame([['pool' => 1, 'signal' => 15]], $this->told('told'));
    }

    public function testItTicksFiveTimesASecondAndWaitsWithoutWork(): void
    {
        $run = $this->pool('stalls')->stream(self::request());
        [$ticks, $began] = [[], 0];
        $run->onTick(static function () use (&$ticks, &$began, $run): void {
            $began = $ticks === [] ? self::cpuTime() : $began;
            $ticks[] = hrtime(true) / 1e9;
            count($ticks) === 6 && $run->stop();
        });
        self::events($run);
        $spent = (self::cpuTime() - $began) / 1e6;

        self::assertGreaterThan(0.19 * 5, $ticks[5] - $ticks[0]);
        self::assertLessThan(($ticks[5] - $ticks[0]) / 4, $spent);
    }

    public function testNoDescriptorStaysOpenHoweverARunEnds(): void
    {
        $runner = $this->pool('stalls');
        $before = self::openFiles();
        $kept = [];
        for ($i = 0; $i < 3; $i++) {
            $kept[] = $run = $runner->stream(self::request());
            foreach ($run as $event) {
                break;
            }
        }
        $kept[] = $stopped = $runner->stream(self::request());
        $stopped->stop();
        self::types($stopped);

        self::assertSame($before, self::openFiles());
    }

    public function testAProgramThatPhpHasStartedDoesNotKeepTheConnectionOpen(): void
    {
        $run = $this->pool('obeys_nothing')->grace(0.1)->stream(self::request());
        $program = null;
        foreach ($run as $event) {
            $program = proc_open(['sleep', '30'], [], $pipes); // inherits the descriptor
            break;
        }

        self::eventually(fn (): bool => $this->told('closed') === [true], 'The connection did not end.');
        proc_terminate($program);
    }

    public function testSignalsThatPhpHandlesItselfDisturbNothing(): void
    {
        $run = $this->pool('reads_late')->stream(self::request()->metadata(['big' => str_repeat('x', 8 << 20)]));
        $pid = getmypid();
        $nag = new Process(['sh', '-c', "for i in \$(seq 50); do kill -USR1 $pid; sleep 0.005; done"]);
        $signals = 0;
        pcntl_async_signals(true);
        pcntl_signal(SIGUSR1, static function () use (&$signals): void {
            $signals++;
        });
        $nag->start();
        $events = self::strictly(static fn (): array => self::events($run));
        $nag->wait();

        self::assertSame('done', end($events)->type);
        self::assertGreaterThan(0, $signals);
    }

    public function testWithoutAPoolTheFallbackRunsItAndTheLogSaysSo(): void
    {
        $logger = new MemoryLogger();
        $runner = new PoolRunner($this->socket(), 'agent-chat', $this->fixture('echo'));
        $run = $runner->logger($logger)->stream(self::request());

        self::assertSame(['start', 'notice', 'done'], self::types($run));
        self::assertSame(0, $run->exitCode());
        self::assertCount(1, $logger->at('info'));
        self::assertSame($this->socket(), $logger->at('info')[0]['context']['socket']);
    }

    public function testASocketThatNobodyListensOnIsNoPool(): void
    {
        $this->pool('stalls');
        $this->pool?->stop(0);
        self::assertFileExists($this->socket());
        $runner = new PoolRunner($this->socket(), 'agent-chat', $this->fixture('echo'));

        self::assertSame(['start', 'notice', 'done'], self::types($runner->stream(self::request())));
    }

    public function testAPoolWhoseQueueIsFullIsGivenFiftyMilliseconds(): void
    {
        $runner = $this->pool('takes_nobody', $this->fixture('echo'));
        $first = stream_socket_client("unix://{$this->socket()}");
        $began = hrtime(true);
        $run = $runner->stream(self::request());
        $run->onTick(static function () use (&$began): void {
            $began < 0 || ($began -= hrtime(true));
        });

        self::assertSame(['start', 'notice', 'done'], self::types($run));
        self::assertGreaterThan(50e6, -$began);
        fclose($first);
    }

    public function testARunThatThePoolHasLostIsNotRunAgainByTheFallback(): void
    {
        $events = self::events($this->pool('loses_its_worker', $this->fixture('echo'))->stream(self::request()));

        self::assertSame(['start', 'error'], self::types($events));
    }

    public function testWithoutAPoolAndAFallbackTheRunIsWorthAnotherTry(): void
    {
        $run = (new PoolRunner($this->socket(), 'agent-chat'))->stream(self::request());
        $events = self::strictly(static fn (): array => self::events($run));

        self::assertSame(['error'], self::types($events));
        self::assertSame(['worker_lost', true], [$events[0]->code, $events[0]->retryable]);
        self::assertStringContainsString('No such file', $run->stderr());
    }

    public function testARunThatIsStoppedBeforeItBeganConnectsToNothing(): void
    {
        $run = $this->pool('stalls', $this->fixture('echo'))->stream(self::request());
        $run->stop();

        self::assertSame(['aborted'], self::types($run));
        self::assertSame([], $this->told('first'));
    }

    /** @dataProvider paths */
    public function testAPathThatNoSocketCanHaveIsRefused(string $path): void
    {
        $this->expectException(InvalidArgumentException::class);
        new PoolRunner($path, 'agent-chat');
    }

    /** @return iterable<string, array{string}> */
    public static function paths(): iterable
    {
        yield 'relative' => ['pool.sock'];
        yield 'longer than the kernel takes, of which PHP would take the beginning' => ['/' . str_repeat('p', 107)];
    }

    /**
     * As Laravel does: every notice becomes an exception.
     *
     * @template T
     *
     * @param \Closure(): T $does
     *
     * @return T
     */
    private static function strictly(\Closure $does): mixed
    {
        set_error_handler(static function (int $type, string $message, string $file, int $line): bool {
            throw new \ErrorException($message, 0, $type, $file, $line);
        });
        try {
            return $does();
        } finally {
            restore_error_handler();
        }
    }

    private static function openFiles(): int
    {
        return count((array) glob('/proc/self/fd/*'));
    }

    /** In microseconds. */
    private static function cpuTime(): int
    {
        $usage = getrusage();

        return ($usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec']) * 1_000_000
            + $usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec'];
    }
}
