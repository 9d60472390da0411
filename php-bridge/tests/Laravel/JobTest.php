<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Event\EventFactory;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Queue\AgentEvent;
use AgentWorkers\Laravel\Queue\RunAgent;
use AgentWorkers\Request;
use AgentWorkers\Testing\Script;
use Illuminate\Contracts\Queue\Job;
use Illuminate\Support\Facades\Bus;
use Illuminate\Support\Facades\Event as Events;
use Mockery;

final class JobTest extends TestCase
{
    private const ID = '8b8c3f0e-6a51-4a3e-9a55-0f0f6f1c2d3e';

    public function testEveryEventIsDispatched(): void
    {
        Agent::fake('One two');
        Events::fake([AgentEvent::class]);
        $this->perform(new RunAgent(['prompt' => 'Hello', 'metadata' => ['user' => 7]]), attempt: 1);
        Events::assertDispatchedTimes(AgentEvent::class, 5);
        Events::assertDispatched(static fn (AgentEvent $e): bool => $e->event->type === 'done'
            && $e->request['metadata'] === ['user' => 7]);
    }

    public function testAHandlerGetsEveryEventInstead(): void
    {
        Agent::fake('One two');
        $this->app->instance(RememberingHandler::class, $handler = new RememberingHandler());
        $this->perform(new RunAgent(['prompt' => 'Hello'], RememberingHandler::class), attempt: 1);
        self::assertSame(['start', 'session', 'delta', 'delta', 'done'], $handler->types);
    }

    public function testEachAttemptIsTheSameRunSoThatNoEffectIsDoneTwice(): void
    {
        $fake = Agent::fake(Script::error('overloaded', retryable: true), 'Hi', 'Other', 'Named');
        $job = new RunAgent(['prompt' => 'Hello']);
        $queued = serialize($job);
        $this->perform($job, attempt: 1, isReleasedFor: 10);
        $this->perform(unserialize($queued), attempt: 2);
        $this->perform(new RunAgent(['prompt' => 'Hello']), attempt: 1);
        $this->perform(new RunAgent(['prompt' => 'Hello', 'run' => 'r']), attempt: 1);
        [$first, $second, $other, $named] = array_map(static fn ($request) => $request->get('run'), $fake->requests());
        self::assertSame($first, $second);
        self::assertNotSame($first, $other);
        self::assertSame('r', $named);
    }

    public function testAHandlerAnswersWhatTheRunAsks(): void
    {
        $fake = Agent::fake(Script::text('Done.')->asking('Bash')->asking('Read'));
        $this->perform(new RunAgent(['prompt' => 'Hello'], ReadOnlyHandler::class, 'task'), attempt: 1);
        $fake->assertDenied('Bash', 'Only reading is allowed.');
        $fake->assertAllowed('Read');
    }

    public function testAJobThatWasQueuedBeforeThereWereToolsRuns(): void
    {
        Agent::fake('Hi');
        $now = serialize(new RunAgent(['prompt' => 'Hello']));
        $without = str_replace('s:8:"appTools";a:0:{}', '', $now, $found);
        self::assertSame(1, $found);
        $oneLess = static fn (array $match): string => $match[1] . ($match[2] - 1);
        $old = unserialize(preg_replace_callback('/^(O:\d+:"[^"]+":)(\d+)/', $oneLess, $without));
        $this->perform($old, attempt: 1)->shouldNotHaveReceived('fail');
    }

    public function testARetryableFailureIsReleasedForAsLongAsTheApiAsked(): void
    {
        Agent::fake(Script::error('rate_limited', retryable: true, more: ['retry_after_ms' => 4200]));
        $job = $this->perform(new RunAgent(['prompt' => 'Hello']), attempt: 1, isReleasedFor: 5);
        $job->shouldNotHaveReceived('fail');
    }

    public function testWithoutAWordOfTheApiTheDelayGrows(): void
    {
        Agent::fake(Script::error('overloaded', retryable: true), Script::error('overloaded', retryable: true));
        $this->perform(new RunAgent(['prompt' => 'Hello']), attempt: 1, isReleasedFor: 10);
        $this->perform(new RunAgent(['prompt' => 'Hello']), attempt: 2, isReleasedFor: 20);
    }

    public function testTheLastAttemptFailsWithItsCause(): void
    {
        Agent::fake(Script::error('overloaded', 'Too much to do.', true));
        $job = $this->perform(new RunAgent(['prompt' => 'Hello']), attempt: 3);
        $job->shouldHaveReceived('fail')
            ->withArgs(static fn (RunFailedException $error): bool => $error->isRetryable());
        $job->shouldNotHaveReceived('release');
    }

    public function testAFailureThatIsNotWorthARetryFailsAtOnce(): void
    {
        Agent::fake(Script::error('auth', 'Not signed in.'));
        $job = $this->perform(new RunAgent(['prompt' => 'Hello']), attempt: 1);
        $job->shouldHaveReceived('fail')->withArgs(static fn (RunFailedException $error): bool
            => $error->event->code === 'auth');
        $job->shouldNotHaveReceived('release');
    }

    public function testAnAbortedRunFails(): void
    {
        Agent::fake(Script::events(['type' => 'aborted', 'reason' => 'signal']));
        $job = $this->perform(new RunAgent(['prompt' => 'Hello']), attempt: 1);
        $job->shouldHaveReceived('fail')->with(Mockery::type(RunAbortedException::class));
    }

    public function testASessionThatAnEarlierAttemptBeganIsContinued(): void
    {
        $fake = Agent::fake(Script::error('session_exists'), 'Hi');
        $job = $this->perform(new RunAgent(['prompt' => 'Hello', 'session' => ['id' => self::ID]]), attempt: 2);
        self::assertSame(['resume' => self::ID], $fake->requests()[1]->get('session'));
        $job->shouldNotHaveReceived('fail');
    }

    public function testARunEndsBeforeLaravelWouldKillTheJob(): void
    {
        $fake = Agent::fake('Hi', 'Hi', 'Hi');
        $short = new RunAgent(['prompt' => 'Hello', 'limits' => ['timeout_s' => 500, 'max_budget_usd' => 1]]);
        $short->timeout = 60;
        $this->perform($short, attempt: 1);
        $this->perform(new RunAgent(['prompt' => 'Hello', 'limits' => ['timeout_s' => 20]]), attempt: 1);
        $endless = new RunAgent(['prompt' => 'Hello']);
        $endless->timeout = 0;
        $this->perform($endless, attempt: 1);
        $limits = array_map(static fn (Request $request): mixed => $request->get('limits'), $fake->requests());
        [$first, $second, $third] = $limits;
        self::assertEquals(['timeout_s' => 45, 'max_budget_usd' => 1], $first);
        self::assertEquals(['timeout_s' => 20], $second);
        self::assertNull($third);
    }

    public function testAPendingRunCanBeQueued(): void
    {
        Bus::fake();
        Agent::chat('Hello')->model('m')->dispatch(RememberingHandler::class);
        Bus::assertDispatched(static fn (RunAgent $job): bool => $job->request['model'] === 'm'
            && $job->handler === RememberingHandler::class && unserialize(serialize($job)) == $job);
    }

    /** @dataProvider failures */
    public function testWithoutAQueueAFailureIsThrown(Script $script, string $exception): void
    {
        $fake = Agent::fake($script);
        foreach (['dispatch', 'dispatchSync', 'dispatchNow'] as $way) {
            try {
                $way === 'dispatch'
                    ? Agent::chat('Hello')->dispatch()
                    : Bus::{$way}(new RunAgent(['prompt' => 'Hello']));
                self::fail("$way() swallowed the failure.");
            } catch (RunFailedException | RunAbortedException $error) {
                self::assertInstanceOf($exception, $error);
            }
            $fake->when('*', $script);
        }
        $fake->assertRanTimes(3);
    }

    /** @return iterable<string, array{Script, class-string}> */
    public static function failures(): iterable
    {
        yield 'one worth a retry' => [Script::error('overloaded', retryable: true), RunFailedException::class];
        yield 'one that is not' => [Script::error('auth'), RunFailedException::class];
        yield 'a crash' => [Script::text('One')->crashAfter(1), RunFailedException::class];
        yield 'a stop' => [Script::events(['type' => 'aborted', 'reason' => 'signal']), RunAbortedException::class];
    }

    public function testABugInAHandlerFailsTheJobAtOnceAndIsReported(): void
    {
        $fake = Agent::fake('One');
        $this->app->bind(RememberingHandler::class, static fn () => throw new \DomainException('A bug.'));
        $run = new RunAgent(['prompt' => 'Hello'], RememberingHandler::class);
        [$job, $error] = $this->performAndCatch($run);
        self::assertSame('A bug.', $error->getMessage());
        $job->shouldHaveReceived('fail')->with($error);
        $job->shouldNotHaveReceived('release');
        $fake->assertNothingRan();
        self::assertSame(1, $run->maxExceptions);
    }

    public function testABugInAListenerFailsTheJobAtOnce(): void
    {
        $fake = Agent::fake('One');
        $this->app['events']->listen(AgentEvent::class, static fn () => throw new \DomainException('A bug.'));
        [$job, $error] = $this->performAndCatch(new RunAgent(['prompt' => 'Hello']));
        $job->shouldHaveReceived('fail')->with($error);
        $fake->assertRanTimes(1);
    }

    public function testAFailureOfAnotherRunInAHandlerIsABugOfTheHandler(): void
    {
        Agent::fake('One');
        $inner = EventFactory::compose('r', 1, 'error', ['code' => 'overloaded', 'message' => '', 'retryable' => true]);
        $this->app['events']->listen(AgentEvent::class, static fn () => throw new RunFailedException($inner));
        [$job] = $this->performAndCatch(new RunAgent(['prompt' => 'Hello']));
        $job->shouldHaveReceived('fail');
        $job->shouldNotHaveReceived('release');
    }

    public function testAnotherBackoffIsObserved(): void
    {
        $overloaded = Script::error('overloaded', retryable: true);
        Agent::fake($overloaded, $overloaded);
        $run = new RunAgent(['prompt' => 'Hello']);
        $run->backoff = 3;
        $this->perform($run, attempt: 1, isReleasedFor: 3);
        $this->perform($run, attempt: 2, isReleasedFor: 3);
    }

    /** @return array{Mockery\MockInterface, \Throwable} */
    private function performAndCatch(RunAgent $run): array
    {
        $job = Mockery::spy(Job::class);
        $job->shouldReceive('attempts')->andReturn(1);
        $run->setJob($job);
        try {
            $this->app->call([$run, 'handle']);
        } catch (\Throwable $error) {
            return [$job, $error];
        }
        self::fail('Nothing was thrown.');
    }

    private function perform(RunAgent $run, int $attempt, ?int $isReleasedFor = null): Mockery\MockInterface
    {
        $job = Mockery::spy(Job::class);
        $job->shouldReceive('attempts')->andReturn($attempt);
        $job->shouldReceive('maxTries')->andReturn($run->tries);
        $isReleasedFor === null || $job->shouldReceive('release')->once()->with($isReleasedFor);
        $run->setJob($job);
        $this->app->call([$run, 'handle']);
        $this->addToAssertionCount(1);

        return $job;
    }
}
