<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Fleet;

use AgentWorkers\Event\AppToolCall;
use AgentWorkers\Event\Delta;
use AgentWorkers\Event\Done;
use AgentWorkers\Event\PermissionRequest;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Fleet\JobOptions;
use AgentWorkers\FleetRunner;
use AgentWorkers\Request;
use AgentWorkers\Run;
use AgentWorkers\Tests\Fleets;
use AgentWorkers\Tests\TemporaryDirectory;
use PHPUnit\Framework\TestCase;

final class FleetRunnerTest extends TestCase
{
    use Fleets;
    use TemporaryDirectory;

    private const START = ['start', [
        'worker' => 'agent-chat', 'worker_version' => '0', 'sdk_version' => '0', 'simulated' => true,
    ]];
    private const DONE = ['done', [
        'text' => 'Hi', 'stop_reason' => 'end_turn', 'duration_ms' => 1, 'num_turns' => 1,
    ]];

    protected function setUp(): void
    {
        $this->startRedis();
        $this->offerSlots();
    }

    public function testARunOfTheFleetIsReadAsOneOfAProcess(): void
    {
        $machine = $this->workInBackground();
        self::assertSame('Hi', $this->runner()->run(Request::prompt('Hello'))->text);
        self::assertSame(0, $machine->wait());
    }

    public function testAJobsOptionsGoWithIt(): void
    {
        $run = $this->runner()->job(JobOptions::make()->queue('night'))->submit(Request::prompt('Hello'))->run;
        self::assertSame('night', $this->fleet()->status($run)->queue);
    }

    public function testARunIsToldThingsWhileItIsRead(): void
    {
        $run = $this->attached();
        $this->writeRun($run->id, [self::START, ['permission_request', [
            'permission_id' => 'p', 'tool_use_id' => 't', 'name' => 'Bash', 'input' => [],
            'expires_at' => self::inAMinute(),
        ]]]);
        foreach ($run as $event) {
            if ($event instanceof PermissionRequest) {
                $run->permission('p', 'allow');
                $run->steer('Faster');
                $run->abort();
                $this->writeRun($run->id, [['aborted', ['reason' => 'client']]], 3);
            }
        }
        $told = $this->told($run->id);
        self::assertSame(['permission', 'steer', 'abort'], array_column($told, 'type'));
        self::assertCount(3, array_unique(array_column($told, 'id')));
        self::assertNull($run->exitCode());
        self::assertSame('aborted', $event->type);
    }

    public function testIdsOfMessagesAreNobodyElses(): void
    {
        $run = $this->attached();
        $other = $this->runner()->attach($run->request);
        $this->writeRun($run->id, [self::START]);
        foreach ($run as $event) {
            $run->steer('One');
            foreach ($other as $event) {
                $other->steer('Two');
                break 2;
            }
        }
        self::assertCount(2, array_unique(array_column($this->told($run->id), 'id')));
    }

    public function testLeavingTheLoopStopsTheRunOnlyWhereThatIsAskedFor(): void
    {
        foreach ([[false, []], [true, ['abort']]] as [$ends, $told]) {
            $machine = $this->workInBackground('start delta');
            $run = $this->runner()->endWhenLeft($ends)->stream(Request::prompt('Hello'));
            foreach ($run as $event) {
                if ($event instanceof Delta) {
                    break;
                }
            }
            $machine->wait();
            self::assertTrue($run->isLeft());
            self::assertSame($told, array_column($this->told($run->id), 'type'));
            $this->writeRun($run->id, [self::DONE], 3);
        }
    }

    public function testWhoLeavesARunHasNoAnswer(): void
    {
        $run = $this->attached();
        $run->onTick(static fn () => $run->leave());
        $this->expectException(LogicException::class);
        $run->wait();
    }

    public function testARunThatIsStoppedBeforeItBeginsEndsForItsReaderToo(): void
    {
        $run = $this->runner()->job(JobOptions::make()->queue('nobody'))->stream(Request::prompt('Hello'));
        $run->onTick(static fn () => $run->abort());
        $this->expectException(RunAbortedException::class);
        $run->wait();
    }

    public function testAToolIsRunOnceHoweverManyRead(): void
    {
        $calls = [];
        $handler = static function (array $input) use (&$calls): string {
            $calls[] = $input['name'];

            return 'Found.';
        };
        $request = Request::prompt('Hello')->appTool('find', 'Finds.', ['type' => 'object'], $handler);
        $run = $this->runner()->submit($request)->run;
        $this->beginRun($run);
        $this->writeRun($run, [self::START, ['app_tool_call', [
            'call_id' => 'c', 'name' => 'find', 'input' => ['name' => 'Acme'], 'expires_at' => self::inAMinute(),
            'tool_use_id' => 't', 'effect_key' => 'e',
        ]]]);
        $readers = [$this->runner()->attach($request->run($run)), $this->runner()->attach($request->run($run))];
        $readers[0]->onTick(function () use ($readers, $run): void {
            foreach ($this->told($run) === [] || $readers[1]->isLeft() ? [] : $readers[1] as $event) {
                if ($event instanceof AppToolCall) {
                    $readers[1]->onTick(fn () => $readers[1]->leave()); // after it could have run the tool
                }
            }
            $readers[1]->isLeft() && $this->writeRun($run, [self::DONE], 3);
        });
        self::assertSame('Hi', $readers[0]->wait()->text);
        self::assertSame(['Acme'], $calls);
    }

    public function testAToolsResultIsSentToTheRun(): void
    {
        $request = Request::prompt('Hello')->appTool('find', 'Finds.', ['type' => 'object'], fn (): string => 'Found.');
        $run = $this->runner()->attach($request->run($this->submitted($request)));
        $this->beginRun($run->id);
        $this->writeRun($run->id, [self::START, ['app_tool_call', [
            'call_id' => 'c', 'name' => 'find', 'input' => [], 'expires_at' => self::inAMinute(), 'tool_use_id' => 't',
        ]]]);
        $run->onTick(function () use ($run): void {
            $this->told($run->id) === [] || $this->writeRun($run->id, [self::DONE], 3);
        });
        self::assertInstanceOf(Done::class, $run->wait());
        self::assertSame(['c', 'Found.'], [$this->told($run->id)[0]['call_id'], $this->told($run->id)[0]['content']]);
    }

    public function testALaterAttemptsCallIsAnotherCall(): void
    {
        $calls = 0;
        $handler = function () use (&$calls, &$id): string {
            $calls++;
            $this->writeRun($id, [self::DONE], 3, 2);

            return 'Found.';
        };
        $request = Request::prompt('Hello')->appTool('find', 'Finds.', ['type' => 'object'], $handler);
        $id = $this->submitted($request);
        $call = ['app_tool_call', [
            'call_id' => 'c', 'name' => 'find', 'input' => [], 'expires_at' => self::inAMinute(), 'tool_use_id' => 't',
        ]];
        $this->beginRun($id);
        $this->writeRun($id, [self::START, $call]);
        $this->machine()->set("agent-workers:run:{{$id}}:call:1:t", 'taken by a reader');
        $this->rule('requeue', [$id, 1, 'test/0', 0, 1, 0, '']);
        $this->beginRun($id);
        $this->writeRun($id, [['start', self::START[1] + ['attempt' => 2]], $call], 1, 2);
        $run = $this->runner()->attach($request->run($id));
        self::assertSame('Hi', $run->wait()->text);
        self::assertSame(1, $calls);
    }

    public function testAReaderThatComesLaterMissesNothing(): void
    {
        $run = $this->attached();
        $this->writeRun($run->id, [self::START, ['delta', ['text' => 'Hi', 'block' => 1]], self::DONE]);
        $types = [];
        foreach ($this->runner()->attach($run->request, '1-1') as $event) {
            $types[] = $event->type;
        }
        self::assertSame(['delta', 'done'], $types);
    }

    public function testWhereTheFleetCannotBeReachedARunEndsWithARetryableError(): void
    {
        $this->redis->stop(0);
        try {
            (new FleetRunner($this->fleet(0.2)))->run(Request::prompt('Hello'));
            self::fail('It ran.');
        } catch (RunFailedException $error) {
            self::assertSame(['worker_lost', true], [$error->event->code, $error->isRetryable()]);
        }
    }

    public function testARunThatIsLostFromSightIsNotOneToTryAgain(): void
    {
        $run = (new FleetRunner($this->fleet(0.2)))->attach($this->attached()->request);
        $this->writeRun($run->id, [self::START]);
        foreach ($run as $event) {
            $event->type === 'start' && $this->redis->stop(0);
        }
        self::assertSame(['error', 'worker_lost', false], [$event->type, $event->code, $event->retryable]);
    }

    public function testAKeyIsRefusedBeforeAnythingIsSent(): void
    {
        $this->expectException(InvalidArgumentException::class);
        $this->runner()->stream(Request::prompt('Hello')->credential('sk-ant-secret'));
    }

    private function runner(): FleetRunner
    {
        return new FleetRunner($this->fleet());
    }

    private function attached(): Run
    {
        $request = Request::prompt('Hello');
        $run = $this->submitted($request);
        $this->beginRun($run);

        return $this->runner()->attach($request->run($run));
    }

    private function submitted(Request $request): string
    {
        return $this->runner()->submit($request)->run;
    }

    private static function inAMinute(): string
    {
        return gmdate('Y-m-d\TH:i:s.000\Z', time() + 60);
    }
}
