<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Fleet;

use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\Delta;
use AgentWorkers\Exception\FleetException;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\RunOverException;
use AgentWorkers\Exception\RunTakenException;
use AgentWorkers\Fleet\Fleet;
use AgentWorkers\Fleet\JobOptions;
use AgentWorkers\Fleet\Told;
use AgentWorkers\Request;
use AgentWorkers\Tests\Fleets;
use AgentWorkers\Tests\TemporaryDirectory;
use PHPUnit\Framework\TestCase;

final class FleetTest extends TestCase
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
    }

    public function testTheRulesAreThoseOfTheWorkers(): void
    {
        foreach (glob(__DIR__ . '/../../resources/fleet/*.lua') ?: [] as $copy) {
            self::assertFileEquals(self::$rules . basename($copy), $copy);
        }
    }

    public function testAJobIsSubmittedOnceWithAllThatItSays(): void
    {
        $job = JobOptions::make()->queue('night')->tenant('acme')->priority(3)->attempts(2)->credential('acme')
            ->runAt(new \DateTimeImmutable('2099-01-02T03:04:05.678+01:00'))
            ->expiresAt(new \DateTimeImmutable('2099-02-02T00:00:00Z'))
            ->retryOn('rate_limited', 'overloaded')->onFailurePerson('u-7')->owner('me');
        $request = Request::prompt('Hello')->run('r-1')->user('ada')->metadata([]);
        $submitted = $this->fleet()->submit($request, $job, 'agent-task');
        self::assertSame(['r-1', true, 'scheduled'], [$submitted->run, $submitted->isNew, $submitted->state]);
        $again = $this->fleet()->submit($request, $job, 'agent-task');
        self::assertSame([false, 'scheduled'], [$again->isNew, $again->state]);
        $status = $this->fleet()->status('r-1');
        self::assertSame(
            ['scheduled', 'night', 'acme', 'agent-task', 2, 'me', '2099-01-02T02:04:05.678Z'],
            [
                $status->state, $status->queue, $status->tenant, $status->worker, $status->attempts, $status->owner,
                $status->runAt->format('Y-m-d\TH:i:s.v\Z'),
            ],
        );
        $document = json_decode((string) $this->machine()->hGet('agent-workers:run:{r-1}:job', 'job'), true);
        self::assertEquals([
            'worker' => 'agent-task', 'prompt' => 'Hello', 'run' => 'r-1', 'user' => 'ada', 'metadata' => [],
            'queue' => 'night', 'tenant' => 'acme', 'priority' => 3, 'attempts' => 2, 'credential' => 'acme',
            'run_at' => '2099-01-02T02:04:05.678Z', 'expires_at' => '2099-02-02T00:00:00.000Z',
            'retry_on' => ['rate_limited', 'overloaded'], 'on_failure' => ['person' => 'u-7'],
        ], $document);
        $this->expectException(RunTakenException::class);
        $this->fleet()->submit($request->goal('Another'), $job, 'agent-task');
    }

    public function testAKeyGoesNowhereNearRedis(): void
    {
        $this->expectException(InvalidArgumentException::class);
        $this->fleet()->submit(Request::prompt('Hello')->credential('sk-ant-secret'));
    }

    public function testASkillIsRunByItsOwnWorker(): void
    {
        $run = $this->fleet()->submit(Request::skill('partner-health', ['id' => 1]))->run;
        self::assertSame('agent-skill', $this->fleet()->status($run)->worker);
    }

    public function testEventsAreFollowedFromAnywhereToTheEnd(): void
    {
        $run = $this->begun();
        $this->writeRun($run, [self::START, ['delta', ['text' => 'Hi', 'block' => 1]]]);
        $seen = [];
        foreach ($this->fleet()->events($run) as $id => $event) {
            $seen[$id] = $event->type;
            if ($event instanceof Delta) {
                $this->writeRun($run, [self::DONE], 3);
            }
        }
        self::assertSame(['1-1' => 'start', '1-2' => 'delta', '1-3' => 'done'], $seen);
        $rest = iterator_to_array($this->fleet()->events($run, '1-2'));
        self::assertSame(['1-3'], array_keys($rest));
        self::assertSame([], iterator_to_array($this->fleet()->events($run, '1-3')), 'the reader has all of it');
    }

    public function testALaterAttemptFollowsTheLostOne(): void
    {
        $run = $this->begun();
        $this->writeRun($run, [self::START, ['delta', ['text' => 'Lost', 'block' => 1]]]);
        $this->rule('requeue', [$run, 1, 'test/0', 0, 1, 0, '']);
        self::assertSame(2, $this->beginRun($run));
        $start = self::START;
        $start[1]['attempt'] = 2;
        $this->writeRun($run, [$start, self::DONE], 1, 2);
        $ids = array_keys(iterator_to_array($this->fleet()->events($run)));
        self::assertSame(['1-1', '1-2', '2-1', '2-2'], $ids);
        self::assertSame(['2-1', '2-2'], array_keys(iterator_to_array($this->fleet()->events($run, '1-2'))));
    }

    public function testARunThatIsNotThereIsNotWaitedFor(): void
    {
        $run = $this->begun();
        $this->writeRun($run, [self::START, self::DONE]);
        $this->machine()->del("agent-workers:run:{{$run}}", "agent-workers:run:{{$run}}:job");
        foreach (['no-such-run', $run] as $gone) {
            self::assertNull($this->fleet()->status($gone));
            self::assertSame(Told::Unknown, $this->fleet()->abort($gone));
            try {
                iterator_to_array($this->fleet()->events($gone));
                self::fail('It was waited for.');
            } catch (RunOverException $error) {
                self::assertFalse($error->isKnown);
            }
        }
    }

    public function testARunThatHasNotBegunIsEndedByAnAbort(): void
    {
        $run = $this->fleet()->submit(Request::prompt('Hello')->user('ada'))->run;
        self::assertSame(Told::Ended, $this->fleet()->abort($run));
        $events = iterator_to_array($this->fleet()->events($run));
        self::assertSame(['1-1'], array_keys($events));
        self::assertInstanceOf(Aborted::class, $events['1-1']);
        self::assertSame(1, $events['1-1']->seq);
        self::assertSame(Told::Over, $this->fleet()->abort($run));
        self::assertSame('aborted', $this->fleet()->status($run)->state);
    }

    public function testARunningRunIsToldWhatItIsTold(): void
    {
        $run = $this->begun();
        $word = ['type' => 'steer', 'text' => 'Faster', 'id' => 's'];
        self::assertSame(Told::Sent, $this->fleet()->control($run, $word));
        self::assertSame(Told::Sent, $this->fleet()->abort($run));
        self::assertEquals($word, $this->told($run)[0]);
        self::assertSame('abort', $this->told($run)[1]['type']);
        self::assertNotSame('', $this->told($run)[1]['id']);
    }

    public function testAReaderGoesOnWhenRedisComesBack(): void
    {
        $run = $this->begun();
        $this->writeRun($run, [self::START, ['delta', ['text' => 'One', 'block' => 1]]]);
        $seen = [];
        foreach ($this->fleet()->events($run) as $id => $event) {
            $seen[] = $id;
            if ($id === '1-2') {
                $this->redis->stop(10, 15);
                $this->startRedis();
                $this->writeRun($run, [self::DONE], 3);
            }
        }
        self::assertSame(['1-1', '1-2', '1-3'], $seen);
    }

    public function testThePatienceWithRedisIsBounded(): void
    {
        $this->redis->stop(0);
        foreach (['redis://127.0.0.1:' . $this->port, 'unix://' . $this->directory() . '/none.sock'] as $url) {
            try {
                (new Fleet($url, patience: 0.2))->status('r');
                self::fail('It was not noticed.');
            } catch (FleetException $error) {
                self::assertStringContainsString('Redis at', $error->getMessage());
            }
        }
    }

    public function testAPasswordADatabaseAndASocketAreUsedAndAWrongPasswordIsSaidAtOnce(): void
    {
        $this->machine()->rawCommand('ACL', 'SETUSER', 'app', 'on', '>p:w', '~*', '+@all');
        $this->machine()->config('SET', 'requirepass', 'secret');
        $socket = rawurlencode('p:w') . '@' . $this->directory() . '/redis.sock';
        foreach (["redis://:secret@127.0.0.1:$this->port/3", "unix://app:$socket?db=3"] as $url) {
            $run = (new Fleet($url))->submit(Request::prompt('Hello'))->run;
            $this->machine()->auth('secret');
            $this->machine()->select(3);
            self::assertSame(1, $this->machine()->exists("agent-workers:run:{{$run}}:job"), $url);
        }
        $this->expectExceptionMessageMatches('/WRONGPASS|invalid/');
        (new Fleet("redis://:wrong@127.0.0.1:$this->port", patience: 3600.0))->status('r');
    }

    /** @dataProvider noAddresses */
    public function testWhatIsNoAddressIsRefused(string $url): void
    {
        $this->expectException(InvalidArgumentException::class);
        new Fleet($url);
    }

    /** @return iterable<array{string}> */
    public static function noAddresses(): iterable
    {
        yield [''];
        yield ['127.0.0.1:6379'];
        yield ['http://127.0.0.1'];
        yield ['redis://'];
        yield ['redis://127.0.0.1/zero'];
    }

    private function begun(): string
    {
        $this->offerSlots();
        $run = $this->fleet()->submit(Request::prompt('Hello'))->run;
        $this->beginRun($run);

        return $run;
    }
}
