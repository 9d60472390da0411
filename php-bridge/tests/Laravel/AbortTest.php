<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\PendingRun;
use AgentWorkers\Request;
use AgentWorkers\Testing\FakeRunner;
use AgentWorkers\Testing\Script;
use Illuminate\Auth\GenericUser;
use Illuminate\Session\Middleware\StartSession;
use Illuminate\Support\Facades\Route;

/** A run is stopped by any request of its owner, and of nobody else. */
final class AbortTest extends TestCase
{
    private const RUN = '5f0c9d3e-1111-4222-8333-444455556666';

    /** @dataProvider policies */
    public function testTheOwnerStopsARunThatAnotherRequestStreams(string $policy): void
    {
        config(['agent-workers.stream.on_disconnect' => $policy]);
        $this->asVisitor('Ada');
        $fake = $this->streamed(fn () => $this->postJson($this->address())->assertNoContent());
        $fake->assertAborted();
        $events = $this->eventsOf($this->follow(self::RUN));
        self::assertSame(['aborted', 'client'], [end($events)['type'], end($events)['reason']]);
        self::assertNotContains('done', array_column($events, 'type'));
    }

    /** @return array<string, array{string}> */
    public static function policies(): array
    {
        return ['that ends it with its browser' => ['abort'], 'that lets it go on' => ['continue']];
    }

    public function testAStrangerStopsNothingAndLearnsNothing(): void
    {
        $this->asVisitor('Ada');
        $fake = $this->streamed(function (): void {
            $this->asVisitor('Eve');
            $this->postJson($this->address())->assertNotFound();
        });
        self::assertSame([], $fake->controls());
        $this->postJson('/agent/runs/no-such-run/abort')->assertNotFound();
    }

    public function testASignedInUserStopsItFromAnotherBrowser(): void
    {
        $this->actingAs(new GenericUser(['id' => 7]));
        $this->streamed(function (): void {
            $this->asVisitor('Another browser');
            $this->postJson($this->address())->assertNoContent();
        })->assertAborted();
    }

    public function testTheOwnerStopsARunWhoseTextTheApplicationWaitsFor(): void
    {
        $this->actingAs($ada = new GenericUser(['id' => 7]));
        [$fake, $pending] = $this->interrupted($ada);
        try {
            $pending->text();
            self::fail('It was not stopped.');
        } catch (RunAbortedException $stopped) {
            self::assertSame('client', $stopped->event->reason);
        }
        $fake->assertAborted();
        $this->postJson($this->address())->assertStatus(410);
    }

    public function testTheOwnerStopsAndFollowsAQueuedRun(): void
    {
        $this->actingAs($ada = new GenericUser(['id' => 7]));
        [$fake, $pending] = $this->interrupted($ada);
        try {
            $pending->dispatch(); // the connection is `sync`
            self::fail('It was not stopped.');
        } catch (RunAbortedException) {
            $fake->assertAborted();
        }
        $types = array_column($this->eventsOf($this->follow(self::RUN)), 'type');
        self::assertSame(['start', 'aborted'], [$types[0], end($types)]);
    }

    public function testARunThatIsNeverIteratedIsNotRecorded(): void
    {
        $this->actingAs($ada = new GenericUser(['id' => 7]));
        [, $pending] = $this->interrupted($ada);
        $pending->events();
        $this->postJson($this->address())->assertNotFound();
    }

    public function testARunThatHasEndedIsOver(): void
    {
        $this->asVisitor('Ada');
        $this->streamed(static fn () => null);
        $this->postJson($this->address())->assertStatus(410);
    }

    public function testATaskIsStoppedInTheSameWay(): void
    {
        Agent::runRoutes('jobs');
        $names = array_map(static fn ($route): string => implode('|', $route->methods()) . ' ' . $route->uri(), [
            ...Route::getRoutes(),
        ]);
        foreach (['agent/runs', 'jobs'] as $prefix) {
            self::assertContains("GET|HEAD $prefix/{run}/events", $names);
            self::assertContains("POST $prefix/{run}/abort", $names);
            self::assertContains("POST $prefix/{run}/permissions/{permission}", $names);
        }
    }

    /** Streams a run, in the middle of which something happens. */
    private function streamed(\Closure $meanwhile): FakeRunner
    {
        $isDone = false;
        $fake = Agent::fake(Script::text('One two three')->asking('Bash'));
        $once = static function () use (&$isDone, $meanwhile): ?bool {
            if (!$isDone) {
                $isDone = true;
                $meanwhile();
            }

            return null;
        };
        Route::post('/once', static fn () => Agent::chat('Hello')
            ->configure(static fn (Request $request): Request => $request->run(self::RUN))
            ->onPermission($once))->middleware(StartSession::class);
        $this->postJson('/once')->assertOk()->streamedContent();
        self::assertTrue($isDone);

        return $fake;
    }

    /**
     * A run whose owner asks for its end by another request, as soon as it has begun.
     *
     * @return array{FakeRunner, PendingRun}
     */
    private function interrupted(GenericUser $owner): array
    {
        $fake = Agent::fake(Script::text('One two three')->callingTool('stop')->slow());
        Agent::tool('stop', 'Stops the run.', ['type' => 'object'], function (): string {
            $this->postJson($this->address())->assertNoContent();

            return 'Asked to stop.';
        });
        $named = static fn (Request $request): Request => $request->run(self::RUN);

        return [$fake, Agent::chat('Hello')->owner($owner)->appTools('stop')->configure($named)];
    }

    private function address(): string
    {
        return '/agent/runs/' . self::RUN . '/abort';
    }
}
