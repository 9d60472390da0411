<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Event\EventFactory;
use AgentWorkers\Fleet\EntryId;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Http\Owner;
use AgentWorkers\Laravel\Stream\Recording;
use AgentWorkers\Laravel\Stream\Replay;
use AgentWorkers\Laravel\Stream\Store;
use AgentWorkers\Laravel\Words;
use AgentWorkers\Testing\FakeRunner;
use Illuminate\Auth\GenericUser;
use Illuminate\Http\Request as HttpRequest;
use Psr\Log\NullLogger;

final class ResumeTest extends TestCase
{
    private FakeRunner $fake;

    protected function setUp(): void
    {
        parent::setUp();
        $this->asVisitor('Ada');
        $this->fake = Agent::fake('One two three.');
    }

    public function testAResumedRunGoesOnAfterTheLastEventAndStartsNothing(): void
    {
        $run = $this->finishedRun();
        $response = $this->follow($run, 3)->assertOk()->assertHeader('X-Agent-Run', $run);
        self::assertSame([4, 5, 6], array_column($this->eventsOf($response), 'seq'));
        $this->fake->assertRanTimes(1);
    }

    public function testWithoutALastEventAllIsSentAgain(): void
    {
        $run = $this->finishedRun();
        self::assertSame([1, 2, 3, 4, 5, 6], array_column($this->eventsOf($this->follow($run)), 'seq'));
        self::assertSame([1, 2, 3, 4, 5, 6], array_column($this->eventsOf($this->get(
            "/agent/runs/$run/events",
            ['Last-Event-ID' => 'some-other-run:4'],
        )), 'seq'));
    }

    public function testAPageOfAnotherFrontEndGetsTheWholeRunInItsFormat(): void
    {
        $run = $this->finishedRun();
        $response = $this->get("/agent/runs/$run/events?format=ai-sdk", ['Last-Event-ID' => "$run:6"])->assertOk();
        $response->assertHeader('X-Vercel-AI-UI-Message-Stream', 'v1');
        $content = $response->streamedContent();
        self::assertStringContainsString('data: {"type":"start","messageId":"' . $run . '"', $content);
        self::assertStringEndsWith("data: [DONE]\n\n", $content);
        self::assertSame(
            'One two three.',
            implode('', array_column(array_map(
                static fn (string $data): array => json_decode($data, true) ?? [],
                str_replace('data: ', '', explode("\n\n", $content)),
            ), 'delta')),
        );
        $this->fake->assertRanTimes(1);
    }

    public function testAFormatThatThereIsNotIsRefused(): void
    {
        $run = $this->finishedRun();
        foreach (['format=ai_sdk', 'format[]=ai-sdk', 'format[a][b]=x'] as $query) {
            $this->get("/agent/runs/$run/events?$query")->assertStatus(422)
                ->assertExactJson(['message' => Words::of('refused.no_format')]);
        }
        $this->get("/agent/runs/$run/events?format=")->assertOk();
    }

    public function testNothingIsLeftAfterTheEnd(): void
    {
        $this->follow($this->finishedRun(), 6)->assertNoContent();
    }

    public function testAnUnknownRunAndOneOfSomebodyElseDoNotExist(): void
    {
        $run = $this->finishedRun();
        $this->follow('5f0c9d3e-1111-4222-8333-444455556666', 1)->assertNotFound();
        $this->asVisitor('Eve');
        $this->follow($run, 1)->assertNotFound();
        $this->fake->assertRanTimes(1);
    }

    public function testARunWhoseWriterDiedEndsForItsFollowers(): void
    {
        $owner = $this->owner();
        $store = $this->app->make(Store::class);
        $start = ['worker' => 'w', 'worker_version' => '0', 'sdk_version' => '0', 'simulated' => true];
        $store->putPage($owner, 'r', 0, [EventFactory::compose('r', 1, 'start', $start)->toJson()]);
        $store->putHead($owner, 'r', ['first' => 0, 'next' => 1, 'ended' => false, 'beat' => microtime(true) - 60]);
        // The browser had seen more than was recorded: what follows must bear a higher number.
        $events = $this->eventsOf($this->follow('r', 7)->assertOk());
        self::assertSame([['error', 'worker_lost', 8]], array_map(
            static fn (array $event): array => [$event['type'], $event['code'], $event['seq']],
            $events,
        ));
    }

    public function testARunWhoseWriterDiedTakesNoAnswerAndNoStop(): void
    {
        $owner = $this->owner();
        $store = $this->app->make(Store::class);
        $store->putQuestion($owner, 'r', 'question', time() + 60);
        foreach (['1 s ago' => [1, 204], 'long ago' => [60, 410]] as $when => [$age, $status]) {
            $beat = microtime(true) - $age;
            $store->putHead($owner, 'r', ['first' => 0, 'next' => 0, 'ended' => false, 'beat' => $beat]);
            $answer = $this->postJson('/agent/runs/r/permissions/question', ['behavior' => 'allow']);
            $stop = $this->postJson('/agent/runs/r/abort');
            self::assertSame([$status, $status], [$answer->getStatusCode(), $stop->getStatusCode()], $when);
        }
    }

    public function testARunThatWasLeftEndsAsAborted(): void
    {
        $owner = $this->owner();
        $recording = new Recording($this->app->make(Store::class), $owner, 'r', new NullLogger());
        $recording->add(EventFactory::compose('r', 1, 'delta', ['text' => 'Hi', 'block' => 1]));
        $recording->close();
        self::assertSame(['delta', 'aborted'], array_column($this->eventsOf($this->follow('r')), 'type'));
    }

    public function testOfALongRunTheOldestEventsAreForgotten(): void
    {
        config(['agent-workers.cache.max_bytes' => 4000]);
        $owner = $this->owner();
        $store = $this->app->make(Store::class);
        $recording = new Recording($store, $owner, 'r', new NullLogger());
        for ($seq = 1; $seq <= 40; $seq++) {
            $recording->add(EventFactory::compose('r', $seq, 'delta', ['text' => str_repeat('x', 500), 'block' => 1]));
            usleep($seq % 4 === 0 ? 210_000 : 0);
            $recording->tick();
        }
        $recording->close();
        $this->follow('r', 1)->assertNotFound();
        $late = array_column($this->eventsOf($this->follow('r', 38)->assertOk()), 'seq');
        self::assertSame([39, 40, 41], $late);
        self::assertNull($store->page($owner, 'r', 0));
    }

    public function testOfARunThatBeganAgainTheLastAttemptAloneIsKept(): void
    {
        $recording = $this->recordingOfTwoAttempts();
        $all = $this->follow('r')->assertOk()->streamedContent();
        self::assertSame(['r:2-1', 'r:2-2', 'r:2-3'], $this->idsIn($all));
        self::assertStringNotContainsString('Lost', $all);
        $ids = fn (string $last): array => $this->idsIn($this->get(
            '/agent/runs/r/events',
            ['Last-Event-ID' => $last],
        )->streamedContent());
        self::assertSame(['r:2-1', 'r:2-2', 'r:2-3'], $ids('r:3'), 'a browser that was away since the first attempt');
        self::assertSame(['r:2-3'], $ids('r:2-2'));
        $this->get('/agent/runs/r/events', ['Last-Event-ID' => 'r:2-3'])->assertNoContent();
        unset($recording);
    }

    public function testAFollowerOfALostAttemptGoesOnWithTheNextOne(): void
    {
        $owner = $this->owner();
        $store = $this->app->make(Store::class);
        $recording = new Recording($store, $owner, 'r', new NullLogger());
        $say = static function (int $seq, string $type, array $body = []) use ($recording): void {
            $recording->add(EventFactory::compose('r', $seq, $type, $body));
        };
        $say(1, 'start');
        $say(2, 'delta', ['text' => 'Lost', 'block' => 1]);
        usleep(210_000);
        $recording->tick();
        $replay = new Replay($store, $owner, 'r', new EntryId(), 10.0);
        $events = $replay->events();
        $read = [];
        foreach (range(1, 2) as $_) {
            $read[] = [$events->current()->type, $events->current()->seq];
            $_ === 2 || $events->next();
        }
        $say(1, 'start', ['attempt' => 2]);
        $say(2, 'delta', ['text' => 'Kept', 'block' => 1]);
        $say(3, 'aborted', ['reason' => 'client']);
        for ($events->next(); $events->valid(); $events->next()) {
            $read[] = [$events->current()->type, $events->current()->seq];
        }
        self::assertSame(
            [['start', 1], ['delta', 2], ['start', 1], ['delta', 2], ['aborted', 3]],
            $read,
        );
        self::assertSame(2, $replay->attempt());
    }

    public function testTheEndOfAnAttemptThatNeverBeganIsTold(): void
    {
        $recording = new Recording($this->app->make(Store::class), $this->owner(), 'r', new NullLogger());
        $recording->add(EventFactory::compose('r', 1, 'start', []));
        $recording->add(EventFactory::compose('r', 2, 'delta', ['text' => 'Lost', 'block' => 1]));
        $error = ['code' => 'worker_lost', 'message' => 'M', 'retryable' => true];
        $recording->add(EventFactory::compose('r', 1, 'error', $error));
        $types = array_column($this->eventsOf($this->follow('r', 0)), 'type');
        self::assertSame(['start', 'delta', 'error'], $types);
    }

    private function recordingOfTwoAttempts(): Recording
    {
        $recording = new Recording($this->app->make(Store::class), $this->owner(), 'r', new NullLogger());
        $recording->add(EventFactory::compose('r', 1, 'start', []));
        $recording->add(EventFactory::compose('r', 2, 'delta', ['text' => 'Lost', 'block' => 1]));
        usleep(210_000); // what was written is forgotten, and what was not is never written
        $recording->tick();
        $recording->add(EventFactory::compose('r', 3, 'delta', ['text' => 'Lost, too', 'block' => 1]));
        $recording->add(EventFactory::compose('r', 1, 'start', ['attempt' => 2]));
        $recording->add(EventFactory::compose('r', 2, 'delta', ['text' => 'Kept', 'block' => 1]));
        $recording->close();

        return $recording;
    }

    /** @return list<string> ids of the frames */
    private function idsIn(string $stream): array
    {
        preg_match_all('/^id: (.*)$/m', $stream, $found);

        return $found[1];
    }

    public function testASignedInUserKeepsTheRunInAnotherSession(): void
    {
        $user = new GenericUser(['id' => 7]);
        $this->actingAs($user);
        $run = $this->finishedRun();
        $this->asVisitor('Another browser');
        $this->follow($run, 5)->assertOk();
        $this->actingAs(new GenericUser(['id' => 8]));
        $this->follow($run, 5)->assertNotFound();
    }

    private function finishedRun(): string
    {
        $response = $this->ask(['prompt' => 'Hello'])->assertOk();
        $response->streamedContent();

        return (string) $response->headers->get('X-Agent-Run');
    }

    private function owner(): string
    {
        $session = $this->app->make('session')->driver();
        $session->setId(self::sessionOf('Ada'));
        $request = HttpRequest::create('/');
        $request->setLaravelSession($session);

        return (string) Owner::of($request);
    }
}
