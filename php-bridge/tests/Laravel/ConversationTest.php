<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Event\Delta;
use AgentWorkers\Event\Done;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Http\ChatRequest;
use AgentWorkers\Laravel\Http\Owner;
use AgentWorkers\Laravel\PendingRun;
use AgentWorkers\Laravel\Queue\RunAgent;
use AgentWorkers\Laravel\Stream\Store;
use AgentWorkers\ProcessRunner;
use AgentWorkers\Request;
use AgentWorkers\Testing\FakeRunner;
use AgentWorkers\Testing\Script;
use AgentWorkers\Tests\Scenarios;
use Illuminate\Auth\GenericUser;
use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Contracts\Queue\Job;
use Illuminate\Session\Middleware\StartSession;
use Illuminate\Support\Carbon;
use Illuminate\Support\Facades\Bus;
use Illuminate\Support\Facades\Route;
use Mockery;

/** A conversation goes on however its runs are started, one run at a time, for its owner alone. */
final class ConversationTest extends TestCase
{
    use Scenarios;

    private const UUID = '8b8c3f0e-6a51-4a3e-9a55-0f0f6f1c2d3e';
    private const OTHER = '0c6f9d3e-1111-4222-8333-444455556666';

    /** @dataProvider ways */
    public function testAConversationGoesOnHoweverItsRunIsStarted(\Closure $first, \Closure $second): void
    {
        $fake = Agent::fake('One', 'Two');
        $first('First', self::UUID);
        $second('Second', strtoupper(self::UUID));
        self::assertSame([['id' => self::UUID], ['resume' => self::UUID]], self::sessions($fake));
        $owners = array_map(static fn (Request $request): mixed => $request->get('session_owner'), $fake->requests());
        self::assertCount(1, array_unique($owners));
        self::assertMatchesRegularExpression('/^[0-9a-f]{64}$/', $owners[0]);
    }

    /** @return iterable<string, array{\Closure, \Closure}> */
    public static function ways(): iterable
    {
        $begun = static fn (string $prompt, string $id) => Agent::chat($prompt)->owner('Ada')->conversation($id);
        $ways = [
            'text' => static fn (string $prompt, string $id) => $begun($prompt, $id)->text(),
            'run' => static fn (string $prompt, string $id) => $begun($prompt, $id)->run(),
            'events' => static fn (string $prompt, string $id) => iterator_to_array($begun($prompt, $id)->events()),
            'dispatch' => static fn (string $prompt, string $id) => $begun($prompt, $id)->dispatch(),
            'stream' => static function (string $prompt, string $id) use ($begun): void {
                ob_start();
                $begun($prompt, $id)->stream()->sendContent();
                ob_end_clean();
            },
        ];
        foreach ($ways as $name => $way) {
            yield "$name begins" => [$way, $ways['text']];
            yield "$name continues" => [$ways['run'], $way];
        }
    }

    public function testAConversationStaysWithTheEngineThatBeganIt(): void
    {
        $fake = Agent::fake('One', 'Two', 'Three', 'Four');
        $chat = static fn (string $id): PendingRun => Agent::chat('Hi')->owner('Ada')->conversation($id);
        $chat(self::UUID)->text();
        $chat(self::OTHER)->engine('messages')->maxTokens(9)->text();
        config(['agent-workers.workers.chat.engine' => 'messages', 'agent-workers.workers.chat.max_tokens' => 500]);
        $chat(self::UUID)->text();
        $chat(self::OTHER)->engine('agent')->text();
        self::assertSame(
            [[null, null], ['messages', 9], ['agent', null], ['messages', 500]],
            array_map(
                static fn (Request $request): array => [$request->get('engine'), $request->get('max_tokens')],
                $fake->requests(),
            ),
        );
    }

    public function testARealConversationGoesOnAfterItsEngineWasReplacedInTheConfiguration(): void
    {
        config([
            'agent-workers.binaries.agent-chat' => $this->binary('agent-chat'),
            'agent-workers.simulate' => 'hello',
            'agent-workers.env' => ['HOME' => $this->directory(), 'ANTHROPIC_API_KEY' => null],
            'agent-workers.state_dir' => $this->directory() . '/state',
            'agent-workers.workers.chat.engine' => 'messages',
        ]);
        $chat = static fn (): Done => Agent::chat('Hi')->owner('Ada')->conversation(self::UUID)->run();
        $first = $chat();
        config(['agent-workers.workers.chat.engine' => 'agent']);
        self::assertSame($first->sessionId, $chat()->sessionId);
    }

    public function testAConversationOfTheBrowserGoesOnForItsUserOnTheQueue(): void
    {
        $user = new GenericUser(['id' => 7]);
        $this->actingAs($user);
        $fake = Agent::fake('One', 'Two', 'Three');
        $this->ask(['prompt' => 'Hello', 'conversation' => self::UUID])->assertOk()->streamedContent();
        Agent::chat('And by the queue?')->conversation(self::UUID)->dispatch();
        $this->app['auth']->forgetGuards();
        Agent::chat('And by a command?')->owner($user)->conversation(self::UUID)->text();
        self::assertSame(
            [['id' => self::UUID], ['resume' => self::UUID], ['resume' => self::UUID]],
            self::sessions($fake),
        );
    }

    public function testAQueuedRunKeepsItsConversationUntilItRuns(): void
    {
        Bus::fake();
        Agent::chat('Hello')->owner('Ada')->conversation(self::UUID)->dispatch();
        $job = null;
        Bus::assertDispatched(static function (RunAgent $dispatched) use (&$job): bool {
            $job = unserialize(serialize($dispatched));

            return true;
        });
        $fake = Agent::fake(Script::error('overloaded', retryable: true), 'Two', 'Three');
        $this->perform($job);
        $this->perform($job);
        $this->perform($job);
        self::assertSame(
            [['id' => self::UUID], ['id' => self::UUID], ['resume' => self::UUID]],
            self::sessions($fake),
        );
    }

    public function testAQueuedRunWhoseSessionIsThereAfterAllGoesOnWithIt(): void
    {
        $fake = Agent::fake(Script::error('session_exists'), 'Two');
        $job = new RunAgent(['prompt' => 'Hi'], conversation: self::UUID, owner: 'owner');
        $this->perform($job)->shouldNotHaveReceived('fail');
        self::assertSame([['id' => self::UUID], ['resume' => self::UUID]], self::sessions($fake));
        $fake = Agent::fake(Script::error('session_exists'), Script::error('session_exists'), 'Never');
        $this->perform($job)->shouldHaveReceived('fail');
        $fake->assertRanTimes(2);
    }

    public function testWithoutAnOwnerNothingRunsAndTheCureIsNamed(): void
    {
        $fake = Agent::fake();
        foreach (['text', 'run', 'events', 'dispatch'] as $way) {
            try {
                Agent::chat('Hello')->conversation(self::UUID)->{$way}();
                self::fail("$way() dropped the conversation.");
            } catch (LogicException $error) {
                self::assertStringContainsString('owner()', $error->getMessage());
            }
        }
        $fake->assertNothingRan();
    }

    /** @dataProvider outsideConversations */
    public function testWithoutAConversationTheWorkerIsToldWhoseTheSessionIsToo(\Closure $way): void
    {
        $this->actingAs($ada = new GenericUser(['id' => 7]));
        $this->app->make('request')->setUserResolver(static fn (): ?Authenticatable => auth()->user());
        $fake = Agent::fake('One', 'Two', 'Three', 'Four');
        $way(Agent::chat('Begin'));
        $way(Agent::chat('Go on')->resume(self::UUID));
        $this->actingAs(new GenericUser(['id' => 8]));
        $way(Agent::chat('Tell me all')->resume(self::UUID));
        $way(Agent::chat('For Ada')->owner($ada)->resume(self::UUID));
        [$begun, $hers, $another, $forHer] = self::ownersOf($fake);
        self::assertMatchesRegularExpression('/^[0-9a-f]{64}$/', $begun);
        self::assertSame([$begun, $begun], [$hers, $forHer]);
        self::assertNotSame($begun, $another);
    }

    /** @return iterable<string, array{\Closure}> */
    public static function outsideConversations(): iterable
    {
        yield 'text' => [static fn (PendingRun $run) => $run->text()];
        yield 'dispatch' => [static fn (PendingRun $run) => $run->dispatch()];
        yield 'stream' => [static function (PendingRun $run): void {
            ob_start();
            $run->stream()->sendContent();
            ob_end_clean();
        }];
    }

    public function testTheSessionOfAConversationIsResumedAsItsOwners(): void
    {
        $fake = Agent::fake('One', 'Two');
        $this->begun()->text();
        Agent::chat('Go on')->owner('Ada')->resume(self::UUID)->text();
        self::assertCount(1, array_unique(self::ownersOf($fake)));
    }

    public function testTheApplicationsOwnWordOnWhoseASessionIsHolds(): void
    {
        $this->actingAs(new GenericUser(['id' => 7]));
        $fake = Agent::fake('One', 'Two');
        Agent::chat('Hi')->configure(static fn (Request $request): Request => $request->sessionOwner('team'))->text();
        $this->app['auth']->forgetGuards();
        Agent::chat('Nobody is there')->text();
        self::assertSame(['team', null], self::ownersOf($fake));
    }

    public function testASessionBesidesTheConversationIsRefused(): void
    {
        $fake = Agent::fake();
        $this->expectException(LogicException::class);
        try {
            Agent::chat('Hello')->owner('Ada')->conversation(self::UUID)->resume(self::OTHER)->text();
        } finally {
            $fake->assertNothingRan();
        }
    }

    public function testAConversationOfSomebodyElseDoesNotExistOutsideStreamsEither(): void
    {
        $fake = Agent::fake('One');
        Agent::chat('Mine')->owner('Ada')->conversation(self::UUID)->text();
        foreach (['text', 'events'] as $way) {
            try {
                Agent::chat('Tell me all')->owner('Eve')->conversation(self::UUID)->{$way}();
                self::fail('Eve was let in.');
            } catch (RunFailedException $error) {
                self::assertSame('session_not_found', $error->event->code);
            }
        }
        $fake->assertRanTimes(1);
    }

    public function testASecondRunInAConversationIsRefusedWhileTheFirstIsOn(): void
    {
        $this->asVisitor('Ada');
        $fake = Agent::fake(Script::text('One two')->callingTool('ask_again'), 'Elsewhere', 'After');
        Agent::tool('ask_again', 'Asks again.', ['type' => 'object'], function (): string {
            $this->ask(['prompt' => 'Second', 'conversation' => self::UUID])->assertStatus(409)
                ->assertHeader('Retry-After')->assertJsonPath('code', 'session_busy')
                ->assertJsonPath('retryable', true)->assertJsonStructure(['message']);
            $this->ask(['prompt' => 'Elsewhere', 'conversation' => self::OTHER])->assertOk()->streamedContent();

            return 'refused';
        });
        config(['agent-workers.workers.chat.app_tools' => ['ask_again']]);
        $this->ask(['prompt' => 'First', 'conversation' => self::UUID])->assertOk()->streamedContent();
        $fake->assertToolAnswered('ask_again', 'refused');
        config(['agent-workers.workers.chat.app_tools' => []]);
        $this->ask(['prompt' => 'Third', 'conversation' => self::UUID])->assertOk()->streamedContent();
        self::assertSame(['First', 'Elsewhere', 'Third'], array_map(
            static fn (Request $request): string => $request->promptText(),
            $fake->requests(),
        ));
    }

    public function testARunThatWaitsIsToldOfABusyConversationByAnException(): void
    {
        $fake = Agent::fake('One two', 'After');
        foreach ($this->begun()->events() as $event) {
            if ($event instanceof Delta) {
                try {
                    $this->begun()->text();
                    self::fail('Two runs were in one conversation.');
                } catch (RunFailedException $error) {
                    self::assertSame(['session_busy', true], [$error->event->code, $error->isRetryable()]);
                }
                break; // whoever leaves the loop gives the conversation back, too
            }
        }
        self::assertSame('After', $this->begun()->text());
        $fake->assertRanTimes(2);
    }

    /** @dataProvider endings */
    public function testAConversationIsGivenBackHoweverItsRunEnds(Script $script): void
    {
        $this->asVisitor('Ada');
        $fake = Agent::fake($script, 'After');
        $this->ask(['prompt' => 'First', 'conversation' => self::UUID])->assertOk()->streamedContent();
        $this->ask(['prompt' => 'Second', 'conversation' => self::UUID])->assertOk()->streamedContent();
        $fake->assertRanTimes(2);
    }

    /** @return iterable<string, array{Script}> */
    public static function endings(): iterable
    {
        yield 'done' => [Script::text('One')];
        yield 'an error' => [Script::error('overloaded', retryable: true)];
        yield 'aborted' => [Script::events(['type' => 'aborted', 'reason' => 'signal'])];
        yield 'a crash' => [Script::text('One two')->crashAfter(2)];
        yield 'no end' => [Script::text('One')->withoutTerminal()];
        yield 'nothing at all' => [Script::bytes()];
    }

    /** @dataProvider stops */
    public function testARunThatIsBeingStoppedIsWaitedForBeforeItsEnd(string $stop): void
    {
        $store = $this->app->make(Store::class);
        $worker = [dirname(__DIR__) . '/fixtures/worker.php', 'stubborn']; // it goes on until it is killed
        Agent::runBy((new ProcessRunner(PHP_BINARY, $worker))->inheritEnv()->grace(0.7));
        $run = $this->begun()->events();
        $isEnding = [];
        $hasBegun = false;
        $run->onEvent(static function () use (&$hasBegun): void {
            $hasBegun = true;
        });
        $run->onTick(function () use ($store, $run, $stop, &$hasBegun, &$isEnding): void {
            if ($hasBegun) {
                $isEnding[] = $store->lease(self::UUID)['ending'];
                $run->{$stop}(); // what is asked once holds
            }
        });
        iterator_to_array($run);
        self::assertSame([false, true], array_slice($isEnding, 0, 2));
        self::assertNull($store->lease(self::UUID));
    }

    /** @return array<string, array{string}> */
    public static function stops(): array
    {
        return ['by the application' => ['abort'], 'by closing the connection' => ['stop']];
    }

    public function testARunIsWaitedForThatItsOwnerHasStopped(): void
    {
        $store = $this->app->make(Store::class);
        $store->takeLease(self::UUID, self::OTHER);
        $store->askAbort(Owner::named('Ada'), self::OTHER);
        Agent::fake('Two');
        [$now, $later] = [Carbon::now(), Carbon::now()->addSeconds(11)];
        $looks = 0; // the lease runs out while the next run looks at it again and again
        Carbon::setTestNow(static function () use ($now, $later, &$looks): Carbon {
            return ++$looks > 50 ? $later : $now;
        });
        self::assertSame('Two', $this->begun()->text());
        self::assertGreaterThan(50, $looks);
    }

    public function testAConversationThatCouldNotBeSavedIsBegunAnew(): void
    {
        $unsaved = Script::events(
            ['type' => 'session', 'session_id' => self::UUID],
            ['type' => 'notice', 'level' => 'warning', 'code' => 'session_not_saved', 'message' => 'Not saved.'],
            ['type' => 'done', 'text' => 'One'],
        );
        $fake = Agent::fake($unsaved, 'Two', $unsaved, 'Four');
        for ($turn = 1; $turn <= 4; $turn++) {
            $this->begun()->text();
        }
        $resumed = ['resume' => self::UUID]; // what was saved before is there still
        self::assertSame([['id' => self::UUID], ['id' => self::UUID], $resumed, $resumed], self::sessions($fake));
    }

    public function testAProcessThatWasKilledHoldsAConversationForAWhileOnly(): void
    {
        $this->asVisitor('Ada');
        Agent::fake('One', 'Two');
        $this->app->make(Store::class)->takeLease(self::UUID, 'a process that was killed');
        $this->ask(['prompt' => 'Hi', 'conversation' => self::UUID])->assertStatus(409);
        $this->travel(11)->seconds();
        $this->ask(['prompt' => 'Hi', 'conversation' => self::UUID])->assertOk()->streamedContent();
    }

    public function testALeaseThatRanOutIsNotTakenBackFromWhoeverHasItNow(): void
    {
        $store = $this->app->make(Store::class);
        Agent::fake('One two', 'Two');
        foreach ($this->begun()->events() as $event) {
            $store->endLease(self::UUID);
            $store->takeLease(self::UUID, 'another run');
        }
        self::assertSame('another run', $store->lease(self::UUID)['token']);
    }

    public function testAWorkerThatGoesIsWaitedFor(): void
    {
        $store = $this->app->make(Store::class);
        $store->takeLease(self::UUID, 'a run that has answered');
        $store->holdLease(self::UUID, 'a run that has answered', true);
        $fake = Agent::fake('Two');
        $this->travel(11)->seconds(); // it was killed before it could give the conversation back
        self::assertSame('Two', $this->begun()->text());
        $fake->assertRanTimes(1);
    }

    public function testABusyConversationIsTriedAgainByTheQueue(): void
    {
        $fake = Agent::fake('One');
        $this->app->make(Store::class)->takeLease(self::UUID, 'another run');
        $job = $this->perform(new RunAgent(['prompt' => 'Hi'], conversation: self::UUID, owner: 'owner'));
        $job->shouldHaveReceived('release')->with(10); // the job's own backoff
        $job->shouldNotHaveReceived('fail');
        $fake->assertNothingRan();
    }

    public function testARouteThatAnswersWithTextOnlyKeepsTheVisitorsConversation(): void
    {
        $this->asVisitor('Ada');
        $fake = Agent::fake('One', 'Two');
        Route::post('/text', static fn (ChatRequest $request) => ['text' => Agent::chat($request)->text()])
            ->middleware(StartSession::class);
        $body = ['prompt' => 'Hello', 'conversation' => self::UUID];
        $this->postJson('/text', $body)->assertOk()->assertJsonPath('text', 'One');
        $this->postJson('/text', $body)->assertOk();
        self::assertSame([['id' => self::UUID], ['resume' => self::UUID]], self::sessions($fake));
        $this->asVisitor('Eve');
        $this->postJson('/text', $body)->assertNotFound()->assertJsonPath('code', 'session_not_found');
    }

    /** @return list<string|null> */
    private static function ownersOf(FakeRunner $fake): array
    {
        return array_map(static fn (Request $request): mixed => $request->get('session_owner'), $fake->requests());
    }

    private function begun(): PendingRun
    {
        return Agent::chat('Hello')->owner('Ada')->conversation(self::UUID);
    }

    private function perform(RunAgent $run): Mockery\MockInterface
    {
        $job = Mockery::spy(Job::class);
        $job->shouldReceive('attempts')->andReturn(1);
        $job->shouldReceive('maxTries')->andReturn($run->tries);
        $run->setJob($job);
        $this->app->call([$run, 'handle']);

        return $job;
    }

    /** @return list<mixed> */
    private static function sessions(FakeRunner $fake): array
    {
        return array_map(static fn (Request $request): mixed => $request->get('session'), $fake->requests());
    }
}
