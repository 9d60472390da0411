<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\Delta;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Event\Event;
use AgentWorkers\Laravel\Events\RunEnded;
use AgentWorkers\Laravel\Events\RunEvent;
use AgentWorkers\Laravel\Events\RunStarted;
use AgentWorkers\Laravel\Events\ToolCalled;
use AgentWorkers\Laravel\Events\ToolFinished;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Http\ChatRequest;
use AgentWorkers\Laravel\PendingRun;
use AgentWorkers\Laravel\Queue\RunAgent;
use AgentWorkers\Request;
use AgentWorkers\Testing\Script;
use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Foundation\Exceptions\Handler;
use Illuminate\Support\Facades\Artisan;
use Illuminate\Support\Facades\Event as Events;
use Illuminate\Support\Facades\Route;

/** Laravel events, which are dispatched for each run, whoever makes it. */
final class RunEventTest extends TestCase
{
    private const ALL = [RunStarted::class, RunEnded::class, ToolCalled::class, ToolFinished::class];
    private const UUID = '0b0c5f3e-31b8-4ad5-8a7e-6c4f3f7b9d21';

    /** @var list<RunEvent> */
    private array $told = [];

    protected function setUp(): void
    {
        parent::setUp();
        Events::listen(self::ALL, function (RunEvent $event): void {
            $this->told[] = $event;
        });
    }

    /** @dataProvider ways */
    public function testARunIsToldWhoeverMakesIt(\Closure $make): void
    {
        Agent::fake(Script::text('It is in Rome.')->running('Read', ['path' => 'a'], result: 'text'));
        $make($this);
        self::assertSame(['RunStarted', 'ToolCalled', 'ToolFinished', 'RunEnded'], $this->types());
        [$started, $called, $finished, $ended] = $this->told;
        self::assertSame([$started->run], array_values(array_unique(array_column($this->told, 'run'))));
        self::assertSame('chat', $started->worker);
        self::assertSame(['Read', ['path' => 'a']], [$called->tool, $called->input]);
        self::assertSame(['Read', 'ok', 'text'], [$finished->tool, $finished->status, $finished->content]);
        self::assertGreaterThanOrEqual(0, $finished->durationMs);
        self::assertTrue($ended->isDone());
        self::assertSame('done', $ended->event->type);
        self::assertSame($ended->event->usage, $ended->usage);
        self::assertSame($ended->event->durationMs, $ended->durationMs);
    }

    /** @return array<string, array{\Closure(self): mixed}> */
    public static function ways(): array
    {
        return [
            'text()' => [static fn () => Agent::chat('Hello')->text()],
            'events()' => [static fn () => iterator_to_array(Agent::chat('Hello')->events(), false)],
            'the routes' => [static fn (self $test) => $test->ask(['prompt' => 'Hello'])->streamedContent()],
            'a controller' => [static function (self $test): void {
                Route::post('/ask', static fn (ChatRequest $request): PendingRun => Agent::chat($request));
                $test->post('/ask', ['prompt' => 'Hello'])->streamedContent();
            }],
            'the queue' => [static fn () => Agent::chat('Hello')->dispatch()],
            'the queue, in a conversation' => [static fn () => Agent::chat('Hello')->owner('night')
                ->conversation(self::UUID)->dispatch()],
            'agent:chat' => [static fn () => Artisan::call('agent:chat', ['prompt' => 'Hello'])],
            'agent:run' => [static function (self $test): void {
                file_put_contents($file = $test->directory() . '/request.json', '{"prompt": "Hello"}');
                Artisan::call('agent:run', ['worker' => 'chat', 'file' => $file]);
            }],
        ];
    }

    public function testItTellsForWhomAndAboutWhatTheRunIs(): void
    {
        Agent::fake('Hi');
        Agent::chat('Hello')->subject('partner', 7)->user('user-3')->goal('Keep it.')
            ->configure(static fn (Request $request): Request => $request->run('r-1')->metadata(['order' => 4]))->run();
        foreach ($this->told as $event) {
            self::assertSame(
                ['r-1', 'user-3', ['type' => 'partner', 'id' => '7'], 'Keep it.', ['order' => 4]],
                [$event->run, $event->user, $event->subject, $event->goal, $event->metadata],
            );
        }
        self::assertCount(2, $this->told);
    }

    public function testWhatTheWorkerWillRefuseIsToldAsFarAsItCanBe(): void
    {
        Agent::fake(Script::error('invalid_request'));
        $wrong = ['prompt' => 'Hello', 'user' => 7, 'goal' => ['x'], 'subject' => 'y', 'metadata' => 'z'];
        file_put_contents($file = $this->directory() . '/request.json', json_encode($wrong));
        self::assertSame(1, Artisan::call('agent:run', ['worker' => 'chat', 'file' => $file]));
        self::assertSame(['RunStarted', 'RunEnded'], $this->types());
        self::assertSame([null, null, null, []], [
            $this->told[0]->user, $this->told[0]->subject, $this->told[0]->goal, $this->told[0]->metadata,
        ]);
    }

    public function testAFailureAndAnAbortAreEndsToo(): void
    {
        Agent::fake(Script::error('overloaded', more: ['cost_usd' => 0.25]), 'Never told');
        $this->ask(['prompt' => 'One'])->streamedContent();
        $run = Agent::chat('Two')->events();
        $run->onEvent(static fn (Event $event) => $event instanceof Delta && $run->abort());
        iterator_to_array($run, false);
        [, $failed, , $aborted] = $this->told;
        self::assertSame(['error', 0.25], [$failed->status, $failed->costUsd]);
        self::assertInstanceOf(ErrorEvent::class, $failed->event);
        self::assertInstanceOf(Aborted::class, $aborted->event);
        self::assertFalse($aborted->isDone());
    }

    public function testARunThatIsLeftBeforeItsEndIsAborted(): void
    {
        Agent::fake('One two three');
        foreach (Agent::chat('Hello')->events() as $event) {
            if ($event instanceof Delta) {
                break;
            }
        }
        self::assertSame(['RunStarted', 'RunEnded'], $this->types());
        self::assertSame(['aborted', 'aborted'], [$this->told[1]->status, $this->told[1]->event->type]);
        self::assertGreaterThanOrEqual(0, $this->told[1]->durationMs);
    }

    public function testEachAttemptOfAJobIsToldUnderTheSameRun(): void
    {
        Agent::fake(Script::error('session_exists'), 'Hi');
        $job = new RunAgent(['prompt' => 'Hello', 'session' => ['id' => self::UUID]]);
        $job->setJob($queued = \Mockery::mock(\Illuminate\Contracts\Queue\Job::class));
        $queued->allows(['attempts' => 2]);
        $this->app->call($job->handle(...));
        self::assertSame(['RunStarted', 'RunEnded', 'RunStarted', 'RunEnded'], $this->types());
        self::assertCount(1, array_unique(array_column($this->told, 'run')));
    }

    public function testToolsOfTheApplicationHaveTheNamesThatTheyWereRegisteredWith(): void
    {
        Agent::tool('city', 'The city.', ['type' => 'object'], fn (): string => $this->types()[1] . ' came before.');
        Agent::fake(Script::text('Done.')->callingTool('city', ['x' => 1])->asking('Bash'));
        Agent::chat('Hello')->appTools('city')->onPermission(static fn (): bool => false)->run();
        $finished = array_values(array_filter($this->told, static fn ($event): bool => $event instanceof ToolFinished));
        self::assertSame(['city', 'ok', 'ToolCalled came before.'], [
            $finished[0]->tool, $finished[0]->status, $finished[0]->content,
        ]);
        self::assertSame(['Bash', 'denied'], [$finished[1]->tool, $finished[1]->status]);
    }

    public function testAToolThatAVisitorRunsIsARunOfItsOwn(): void
    {
        Agent::tool('city', 'The city.', ['type' => 'object'], static fn (): string => 'Rome');
        Agent::allowCommand('city', true);
        $this->ask(['prompt' => '/city'])->streamedContent();
        self::assertSame(['RunStarted', 'ToolCalled', 'ToolFinished', 'RunEnded'], $this->types());
        self::assertSame(['tool', 'city'], [$this->told[0]->worker, $this->told[1]->tool]);
    }

    public function testEachResultOfABatchIsTold(): void
    {
        Agent::fake(['One', Script::error('auth', 'No account.')]);
        Agent::batch(['a' => Agent::task('x', '/')->subject('partner', 3), 'b' => Request::prompt('y')])->all();
        self::assertSame(['RunEnded', 'RunEnded'], $this->types());
        [$done, $failed] = $this->told;
        self::assertSame(['task', 'a', 'One', ['type' => 'partner', 'id' => '3']], [
            $done->worker, $done->result->key, $done->result->text, $done->subject,
        ]);
        self::assertSame([$done->result->run, null], [$done->run, $done->event]);
        self::assertSame(['chat', 'error', 'auth'], [$failed->worker, $failed->status, $failed->event->code]);
        self::assertNull($failed->subject);
    }

    public function testTheEconomyLaneKeepsNothingOfARequestForADay(): void
    {
        Agent::fake(['One']);
        $about = Agent::chat('x')->engine('messages')->subject('partner', 3);
        Agent::batch(['a' => $about])->economy()->checkpoint($this->directory() . '/night')->all();
        self::assertSame(['chat', 'a', null], [
            $this->told[0]->worker, $this->told[0]->result->key, $this->told[0]->subject,
        ]);
    }

    public function testAListenerThatThrowsIsReportedAndTheAnswerGoesOn(): void
    {
        $handler = new class ($this->app) extends Handler {
            /** @var list<string> */
            public array $reported = [];

            public function report(\Throwable $e): void
            {
                $this->reported[] = $e->getMessage();
                throw new \RuntimeException('The log is full.');
            }
        };
        $this->app->instance(ExceptionHandler::class, $handler);
        Events::listen(self::ALL, static fn (RunEvent $event) => throw new \DomainException('bug in ' . $event::class));
        Agent::fake(Script::text('It is in Rome.')->running('Read'));
        $events = $this->eventsOf($this->ask(['prompt' => 'Hello']));
        self::assertSame(['type' => 'done', 'text' => 'It is in Rome.'], array_intersect_key(
            end($events),
            ['type' => true, 'text' => true],
        ));
        self::assertCount(4, $handler->reported);
    }

    public function testTheEndComesAfterTheBrowserHasTheAnswerAndTheConversationIsFree(): void
    {
        Agent::fake('One', 'Two');
        $this->asVisitor('Ada');
        $second = null;
        Events::listen(RunEnded::class, static function (RunEnded $event) use (&$second): void {
            if ($event->event->text === 'One') {
                $second = Agent::chat('And?')->conversation(self::UUID)->text();
            }
        });
        $answer = $this->ask(['prompt' => 'Hello', 'conversation' => self::UUID])->streamedContent();
        self::assertStringContainsString('event: done', $answer);
        self::assertSame('Two', $second);
    }

    public function testAQueuedListenerGetsTheEventAsItWas(): void
    {
        Agent::fake(Script::text('Hi')->running('Read'));
        Agent::chat('Hello')->run();
        self::assertEquals($this->told, unserialize(serialize($this->told)));
    }

    /** @return list<string> */
    private function types(): array
    {
        return array_map(static fn (RunEvent $event): string => class_basename($event), $this->told);
    }
}
