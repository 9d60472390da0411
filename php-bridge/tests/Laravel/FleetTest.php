<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Event\Delta;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Fleet\Accepted;
use AgentWorkers\Fleet\JobOptions;
use Illuminate\Auth\GenericUser;

final class FleetTest extends FleetTestCase
{
    public function testARequestForJsonIsAcceptedAndSaysWhereTheRunIs(): void
    {
        $response = $this->postJson('/agent/chat', ['prompt' => 'Hello'])->assertStatus(202);
        $run = $response->json('run');
        $response->assertExactJson([
            'run' => $run, 'state' => 'admitted', 'status' => "http://localhost/agent/runs/$run",
            'events' => "http://localhost/agent/runs/$run/events",
        ])->assertHeader('Location', "http://localhost/agent/runs/$run")->assertHeader('X-Agent-Run', $run);
        $status = $this->fleet()->status($run);
        self::assertSame('agent-chat', $status->worker);
        self::assertSame('Hello', $status->request()->get('prompt'));
    }

    public function testAStatusTellsHowFarARunIsUntilItHasItsAnswer(): void
    {
        $run = $this->submitted();
        $this->getJson("/agent/runs/$run")->assertOk()->assertJson(['run' => $run, 'state' => 'admitted']);
        $this->beginRun($run);
        $status = $this->getJson("/agent/runs/$run")->assertOk()->assertJson(['state' => 'running', 'attempt' => 1]);
        self::assertNull($status->json('event'));
        $this->writeRun($run, [self::START, self::DONE]);
        $this->getJson("/agent/runs/$run")->assertJson([
            'state' => 'done', 'event' => ['type' => 'done', 'text' => 'Hi', 'run' => $run],
        ]);
    }

    public function testAFailedRunsStatusHasWordsForTheVisitor(): void
    {
        $this->app->setLocale('de');
        $run = $this->begun();
        $error = ['error', ['code' => 'overloaded', 'message' => 'M', 'retryable' => true]];
        $this->writeRun($run, [self::START, $error]);
        $status = $this->getJson("/agent/runs/$run");
        $status->assertJson(['state' => 'error', 'event' => ['code' => 'overloaded']]);
        self::assertNotSame('', (string) $status->json('message'));
    }

    public function testARunIsRelayedFromWhereTheBrowserWas(): void
    {
        $run = $this->begun();
        $this->writeRun($run, [self::START, ['delta', ['text' => 'Hi', 'block' => 1]], self::DONE]);
        $all = $this->follow($run)->assertOk()->assertHeader('X-Agent-Run', $run)->streamedContent();
        self::assertSame(["$run:1", "$run:2", "$run:3"], self::idsOf($all));
        self::assertSame(["$run:3"], self::idsOf($this->follow($run, 2)->streamedContent()));
        self::assertStringNotContainsString('protocol_error', $all);
        $this->follow($run, 3)->assertNoContent();
        $response = $this->get("/agent/runs/$run/events?format=ai-sdk", ['Last-Event-ID' => "$run:2"]);
        self::assertStringEndsWith("data: [DONE]\n\n", $response->streamedContent());
    }

    public function testOfALostRunTheNextAttemptIsRelayedUnderIdsOfItsOwn(): void
    {
        $run = $this->begun();
        $this->writeRun($run, [self::START, ['delta', ['text' => 'Lost', 'block' => 1]]]);
        $this->rule('requeue', [$run, 1, 'test/0', 0, 1, 0, '']);
        $this->beginRun($run);
        $again = ['start', self::START[1] + ['attempt' => 2]];
        $this->writeRun($run, [$again, ['delta', ['text' => 'Hi', 'block' => 1]], self::DONE], attempt: 2);
        $ids = fn (string $last): array => self::idsOf($this->get(
            "/agent/runs/$run/events",
            ['Last-Event-ID' => "$run:$last"],
        )->streamedContent());
        $second = ["$run:2-1", "$run:2-2", "$run:2-3"];
        self::assertSame(["$run:1", "$run:2", ...$second], $ids('0'));
        self::assertSame(["$run:2", ...$second], $ids('1'));
        self::assertSame(["$run:2-3"], $ids('2-2'));
        $this->get("/agent/runs/$run/events", ['Last-Event-ID' => "$run:2-3"])->assertNoContent();
    }

    public function testTheFleetMayBeAConnectionOfTheApplication(): void
    {
        config(['agent-workers.fleet.url' => null, 'agent-workers.fleet.connection' => 'agents']);
        config(['database.redis.agents' => ['host' => '127.0.0.1', 'port' => (string) $this->port, 'database' => '2']]);
        config(['database.redis.options' => ['prefix' => 'app:']]);
        $run = $this->submitted();
        $this->machine()->select(2);
        self::assertSame(1, $this->machine()->exists("agent-workers:run:{{$run}}:job"));
        config(['agent-workers.fleet.connection' => 'none']);
        $this->withoutExceptionHandling();
        $this->expectExceptionMessage('There is no connection none');
        $this->submitted();
    }

    public function testWhereRedisIsAwayARequestIsRefusedAsOneToTryAgain(): void
    {
        $this->redis->stop(0);
        config(['agent-workers.fleet.patience' => 0.1]);
        $this->postJson('/agent/chat', ['prompt' => 'Hello'])->assertStatus(503)->assertHeader('Retry-After', '5')
            ->assertJson(['code' => 'worker_lost', 'retryable' => true]);
        $this->getJson('/agent/runs/r')->assertStatus(503);
        $events = $this->eventsOf($this->ask(['prompt' => 'Hello'])->assertOk());
        self::assertSame([['error', true]], array_map(static fn ($one) => [$one['type'], $one['retryable']], $events));
    }

    public function testAStreamBeginsAtOnceAndTheRunIsInTheFleet(): void
    {
        $response = $this->ask(['prompt' => 'Hello'])->assertOk();
        $run = (string) $response->headers->get('X-Agent-Run');
        self::assertNull($this->fleet()->status($run), 'it begins with its stream');
        $worker = $this->workInBackground();
        self::assertSame(['start', 'delta', 'done'], array_column($this->eventsOf($response), 'type'));
        self::assertSame(0, $worker->wait());
        self::assertTrue($this->fleet()->status($run)->isOver());
    }

    public function testOthersNeitherSeeNorStopARunUnlessTheApplicationSaysSo(): void
    {
        $run = $this->begun();
        $this->asVisitor('Eve');
        $this->getJson("/agent/runs/$run")->assertNotFound();
        $this->follow($run)->assertNotFound();
        $this->postJson("/agent/runs/$run/abort")->assertNotFound();
        Agent::viewersUsing(static fn (mixed $user, string $id): bool => $id === $run);
        $this->getJson("/agent/runs/$run")->assertOk();
        $this->postJson("/agent/runs/$run/abort")->assertNotFound();
        self::assertSame([], $this->told($run));
        Agent::viewersUsing(
            static fn (): bool => true,
            static fn (mixed $user): bool => $user?->getAuthIdentifier() === 7,
        );
        $this->postJson("/agent/runs/$run/abort")->assertNotFound();
        $this->actingAs(new GenericUser(['id' => 7]));
        $this->postJson("/agent/runs/$run/abort")->assertNoContent();
        self::assertSame('abort', $this->told($run)[0]['type']);
    }

    public function testAnotherApplicationsRunsAreNotThere(): void
    {
        $run = $this->begun();
        config(['agent-workers.fleet.application' => 'another']);
        Agent::viewersUsing(static fn (): bool => true, static fn (): bool => true);
        $this->getJson("/agent/runs/$run")->assertNotFound();
        $this->follow($run)->assertNotFound();
        $this->postJson("/agent/runs/$run/abort")->assertNotFound();
    }

    public function testARunOfAnApplicationWhoseNameBeginsAlikeIsNotShown(): void
    {
        config(['agent-workers.fleet.application' => 'shop:eu']);
        $run = $this->submitted();
        config(['agent-workers.fleet.application' => 'shop']);
        Agent::viewersUsing(static fn (): bool => true);
        $this->asVisitor('Eve');
        $this->getJson("/agent/runs/$run")->assertNotFound();
        config(['agent-workers.fleet.application' => 'shop:eu']);
        $this->getJson("/agent/runs/$run")->assertOk();
    }

    public function testForgedPlacesInAStreamEndIt(): void
    {
        $run = $this->begun();
        $this->writeRun($run, [self::START, self::DONE]);
        foreach (['99-1', '999999999-999999999999999'] as $place) {
            $this->get("/agent/runs/$run/events", ['Last-Event-ID' => "$run:$place"])->assertNoContent();
        }
        foreach (['-1', '1--1', '99999999999999999999-1', '1-1\n', 'x', '', '*', '$', '+'] as $place) {
            $seen = $this->seen($this->get("/agent/runs/$run/events", ['Last-Event-ID' => "$run:$place"])->assertOk());
            self::assertStringContainsString('event: done', $seen);
        }
    }

    public function testARunIsStoppedFromAnyTabAndOnlyWhileItGoesOn(): void
    {
        $waiting = $this->submitted();
        $this->postJson("/agent/runs/$waiting/abort")->assertNoContent();
        $this->getJson("/agent/runs/$waiting")->assertJson(['state' => 'aborted', 'event' => ['reason' => 'client']]);
        $this->postJson("/agent/runs/$waiting/abort")->assertStatus(410);
        $running = $this->begun();
        $this->postJson("/agent/runs/$running/abort")->assertNoContent();
        self::assertSame('abort', $this->told($running)[0]['type']);
        $this->postJson('/agent/runs/no-such-run/abort')->assertNotFound();
    }

    public function testARunOfAProcessHasAStatusToo(): void
    {
        Agent::fake('One two three.');
        config(['agent-workers.workers.chat.fleet' => false]);
        $response = $this->ask(['prompt' => 'Hello'])->assertOk();
        $response->streamedContent();
        $run = (string) $response->headers->get('X-Agent-Run');
        $this->getJson("/agent/runs/$run")->assertOk()->assertJson([
            'run' => $run, 'state' => 'done', 'event' => ['type' => 'done', 'text' => 'One two three.'],
        ]);
        $this->asVisitor('Eve');
        $this->getJson("/agent/runs/$run")->assertNotFound();
        Agent::viewersUsing(static fn (): bool => true);
        $this->getJson("/agent/runs/$run")->assertOk();
        $this->follow($run, 2)->assertOk();
    }

    public function testWithoutAFleetNothingChanges(): void
    {
        config(['agent-workers.fleet.url' => null]);
        $fake = Agent::fake('Hi');
        config(['agent-workers.workers.chat.fleet' => false]);
        $this->postJson('/agent/chat', ['prompt' => 'Hello'])->assertOk();
        $fake->assertNotOnFleet();
        $this->getJson('/agent/runs/none')->assertNotFound();
        $this->postJson('/agent/runs/none/abort')->assertNotFound();
    }

    public function testAJobSaysHowItWaits(): void
    {
        $accepted = Agent::chat('Hello')->owner('ada')
            ->onFleet(fn (JobOptions $job): JobOptions => $job->queue('night')->tenant('acme'))->dispatch();
        self::assertInstanceOf(Accepted::class, $accepted);
        self::assertSame('queued', $accepted->state);
        $status = Agent::fleet()->status($accepted->run);
        self::assertSame(['night', 'acme'], [$status->queue, $status->tenant]);
    }

    public function testAFakeShowsWhatWentToTheFleet(): void
    {
        $fake = Agent::fake('Hi');
        $response = $this->postJson('/agent/chat', ['prompt' => 'Hello'])->assertStatus(202);
        Agent::chat('At night')->onFleet(JobOptions::make()->queue('night'))->dispatch();
        $fake->assertOnFleet('Hello');
        $fake->assertOnFleet(fn ($request, JobOptions $job): bool => $job->get('queue') === 'night');
        $fake->assertNotOnFleet('Nothing');
        $this->getJson($response->json('status'))->assertJson(['state' => 'done', 'event' => ['text' => 'Hi']]);
        self::assertStringContainsString('event: done', $this->get($response->json('events'))->streamedContent());
    }

    public function testALoopThatIsLeftStopsNothingUnlessAsked(): void
    {
        foreach (['continue' => [], 'abort' => ['abort']] as $setting => $told) {
            config(['agent-workers.fleet.on_disconnect' => $setting]);
            $events = Agent::chat('Hello')->owner('ada')->events();
            $worker = $this->workInBackground('start delta');
            foreach ($events as $event) {
                if ($event instanceof Delta) {
                    break;
                }
            }
            $worker->wait();
            self::assertSame($told, array_column($this->told($events->id), 'type'));
            $this->writeRun($events->id, [self::DONE], 3);
        }
    }
}
