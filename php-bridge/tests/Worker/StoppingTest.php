<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Worker;

use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Tests\Workers;
use PHPUnit\Framework\TestCase;
use Symfony\Component\Process\Process;

final class StoppingTest extends TestCase
{
    use Workers;

    public function testNothingRunsBeforeTheFirstIteration(): void
    {
        $process = null;
        $runner = $this->fixture('obedient')->configureProcess(static function (Process $it) use (&$process): void {
            $process = $it;
        });
        $run = $runner->stream(self::request());

        self::assertFalse($process->isStarted());
        unset($run);
    }

    public function testLeavingTheLoopStopsTheWorker(): void
    {
        foreach ($this->fixture('obedient')->grace(60)->stream(self::request()) as $event) {
            break;
        }

        self::assertFalse(self::isAlive(self::pid($event)));
    }

    public function testAnExceptionInTheLoopStopsTheWorker(): void
    {
        $pid = 0;
        try {
            foreach ($this->fixture('obedient')->stream(self::request()) as $event) {
                $pid = self::pid($event);
                throw new \DomainException();
            }
        } catch (\DomainException) {
        }

        self::assertFalse(self::isAlive($pid));
    }

    public function testAnExceptionInATickStopsTheWorker(): void
    {
        $run = $this->fixture('obedient')->stream(self::request());
        $pid = 0;
        $run->onTick(static function () use (&$pid): void {
            $pid > 0 && throw new \DomainException();
        });
        try {
            foreach ($run as $event) {
                $pid = self::pid($event);
            }
            self::fail('The exception did not arrive.');
        } catch (\DomainException) {
        }

        self::assertFalse(self::isAlive($pid));
    }

    public function testAStoppedRunGoesOnToItsTerminalEvent(): void
    {
        $run = $this->fixture('obedient')->stream(self::request());
        $events = [];
        foreach ($run as $event) {
            $events[] = $event;
            $run->stop();
        }

        self::assertSame(['start', 'aborted'], self::types($events));
        self::assertSame('signal', end($events)->reason);
        self::assertSame(3, $run->exitCode());
    }

    public function testARunCanBeStoppedFromATick(): void
    {
        $run = $this->fixture('obedient')->stream(self::request());
        $begun = false;
        $run->onTick(static function () use ($run, &$begun): void {
            $begun && $run->stop();
        });
        foreach ($run as $event) {
            $begun = true;
        }

        self::assertInstanceOf(Aborted::class, $event);
    }

    /** @dataProvider stubbornWorkers */
    public function testAWorkerThatIgnoresSigtermIsKilledAfterItsGrace(string $behaviour): void
    {
        $run = $this->fixture($behaviour)->grace(0.3)->stream(self::request());
        $pid = 0;
        foreach ($run as $event) {
            $pid = $pid ?: self::pid($event);
            $run->stop();
        }

        self::assertFalse(self::isAlive($pid));
        self::assertSame(137, $run->exitCode());
        self::assertInstanceOf(Aborted::class, $event, 'Somebody wanted it stopped: that is no failure to retry.');
    }

    /** @dataProvider stubbornWorkers */
    public function testLeavingTheLoopKillsEvenAWorkerThatIgnoresSigterm(string $behaviour): void
    {
        foreach ($this->fixture($behaviour)->grace(0.3)->stream(self::request()) as $event) {
            break;
        }

        self::assertFalse(self::isAlive(self::pid($event)));
    }

    /** @return iterable<string, array{string}> */
    public static function stubbornWorkers(): iterable
    {
        yield 'silent' => ['stubborn'];
        yield 'flooding' => ['stubborn-flood'];
    }

    public function testAWorkerThatDoesNotObeyAnAbortIsStopped(): void
    {
        $run = $this->fixture('obedient')->grace(0.3)->stream(self::request());
        foreach ($run as $event) {
            $run->abort();
        }

        self::assertInstanceOf(Aborted::class, $event);
    }

    public function testARunStoppedBeforeItBeganStartsNothing(): void
    {
        $run = $this->fixture('obedient')->stream(self::request());
        $run->stop();

        $this->expectException(RunAbortedException::class);
        $run->wait();
    }

    public function testAWorkerHasItsGraceAfterItsTerminalEvent(): void
    {
        $run = $this->fixture('tears-down')->stream(self::request());

        self::assertSame(['start', 'done'], self::types($run));
        self::assertSame(0, $run->exitCode());
    }

    public function testTheTerminalEventIsTheEndOfTicks(): void
    {
        $run = $this->fixture('lingers')->grace(0.5)->stream(self::request());
        $ticksSinceDone = null;
        $run->onTick(static function () use (&$ticksSinceDone): void {
            $ticksSinceDone === null || $ticksSinceDone++;
        });
        foreach ($run as $event) {
            $ticksSinceDone = $event->isTerminal() ? 0 : null;
        }

        self::assertSame(0, $ticksSinceDone);
    }

    public function testAWorkerThatLingersAfterItsTerminalEventIsStopped(): void
    {
        $run = $this->fixture('lingers')->grace(0.3)->stream(self::request());
        $events = self::events($run);

        self::assertSame(['start', 'done'], self::types($events));
        self::assertFalse(self::isAlive(self::pid($events[0])));
    }

    public function testAWorkerThatOverrunsItsDeadlineEndsWithTimeoutAndNotWithAborted(): void
    {
        $request = self::request()->limits(timeoutS: 3)->metadata(['kept' => 1]);
        $events = self::events($this->fixture('obedient')->overtime(0.2)->stream($request));
        $last = end($events);

        self::assertInstanceOf(ErrorEvent::class, $last);
        self::assertSame('timeout', $last->code);
        self::assertSame(2, $last->seq);
        self::assertArrayNotHasKey('reason', $last->data);
    }

    public function testADeadWorkerThatOverranItsDeadlineEndsWithTimeoutToo(): void
    {
        $runner = $this->fixture('stubborn')->overtime(0.1)->grace(0.1);
        $events = self::events($runner->stream(self::request()->limits(timeoutS: 0.1)));

        self::assertSame('timeout', end($events)->code);
    }

    public function testASymfonyTimeoutSetByTheApplicationIsATimeout(): void
    {
        $runner = $this->fixture('obedient')->configureProcess(static fn (Process $it) => $it->setTimeout(0.5));
        $events = self::events($runner->stream(self::request()));

        self::assertSame('timeout', end($events)->code);
    }

    public function testTheEndOfPhpIsTheEndOfStdin(): void
    {
        $consumer = new Process([PHP_BINARY, dirname(__DIR__) . '/fixtures/consumer.php', 'lifeline', 'wait']);
        $consumer->start();
        $consumer->waitUntil(static fn (string $type, string $bytes): bool => str_contains($bytes, "\n"));
        $worker = (int) $consumer->getOutput();
        $consumer->signal(SIGKILL); // as php-fpm and queues do: no destructor, no shutdown function

        self::assertGreaterThan(0, $worker);
        self::assertEnds($worker);
    }

    public function testExitInsideTheLoopStopsTheWorker(): void
    {
        $file = $this->directory() . '/ended-in-peace';
        $consumer = new Process([PHP_BINARY, dirname(__DIR__) . '/fixtures/consumer.php', 'obedient', 'exit', $file]);
        $consumer->mustRun();

        self::assertGreaterThan(0, (int) $consumer->getOutput());
        self::assertFalse(self::isAlive((int) $consumer->getOutput()));
        self::assertFileExists($file);
    }

    public function testARunCanBeIteratedOnlyOnce(): void
    {
        $run = $this->fixture('echo')->stream(self::request());
        self::types($run);

        $this->expectException(LogicException::class);
        self::types($run);
    }
}
