<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Http\ChatRequest;
use AgentWorkers\Request;
use AgentWorkers\Sse\AgUiEncoder;
use AgentWorkers\Sse\Format;
use AgentWorkers\Testing\Script;
use Illuminate\Cache\Events\KeyWritten;
use Illuminate\Support\Facades\Event;
use Illuminate\Support\Facades\Log;
use Illuminate\Support\Facades\Route;
use Psr\Log\LoggerInterface;

final class StreamTest extends TestCase
{
    public function testOneControllerLineStreamsTheAnswer(): void
    {
        Agent::fake('Words as they come.');
        Route::post('/ask', static fn (ChatRequest $request) => Agent::chat($request));
        $response = $this->postJson('/ask', ['prompt' => 'Hello']);
        $response->assertOk()->assertHeader('Content-Type', 'text/event-stream; charset=utf-8');
        $events = $this->eventsOf($response);
        self::assertSame(
            ['start', 'session', 'delta', 'delta', 'delta', 'delta', 'done'],
            array_column($events, 'type'),
        );
        $deltas = array_filter($events, static fn (array $event): bool => $event['type'] === 'delta');
        self::assertSame('Words as they come.', implode('', array_column($deltas, 'text')));
    }

    public function testTheNativeFormNamesEachEventAndNumbersIt(): void
    {
        Agent::fake('Hi');
        $response = $this->ask(['prompt' => 'Hello']);
        $run = $response->headers->get('X-Agent-Run');
        $content = $response->streamedContent();
        self::assertMatchesRegularExpression("/\nid: $run:1\nevent: start\ndata: \{\"v\":1,.*\}\n\n/", $content);
        self::assertMatchesRegularExpression("/\nid: $run:4\nevent: done\ndata: \{.*\}\n\n$/", $content);
        $response->assertHeader('X-Accel-Buffering', 'no');
    }

    public function testTheLaravelFormIsWhatItsHooksRead(): void
    {
        config(['agent-workers.stream.format' => 'laravel']);
        Agent::fake('Hi');
        $content = $this->ask(['prompt' => 'Hello'])->streamedContent();
        self::assertMatchesRegularExpression('/^event: update\ndata: \{"v":1,.*"type":"start"/m', $content);
        self::assertStringEndsWith("event: update\ndata: </stream>\n\n", $content);
        Agent::fake('Hi');
        Route::post('/ask', static fn (ChatRequest $request) => Agent::chat($request)->format(Format::Native));
        $native = $this->postJson('/ask', ['prompt' => 'Hello']);
        self::assertStringContainsString('event: done', $native->streamedContent());
    }

    public function testAnotherFrontEndGetsItsFormatAndItsHeader(): void
    {
        Agent::fake('Hi');
        Route::post('/use-chat', static fn (ChatRequest $request) => Agent::chat($request)->format('ai-sdk'));
        $response = $this->postJson('/use-chat', ['prompt' => 'Hello'])->assertOk();
        $response->assertHeader('X-Vercel-AI-UI-Message-Stream', 'v1');
        self::assertStringContainsString('"delta":"Hi"', $response->streamedContent());

        Agent::fake('Hi');
        $encoder = new AgUiEncoder('thread-1', 'run-1');
        Route::post('/ag-ui', static fn (ChatRequest $request) => Agent::chat($request)->format($encoder));
        $content = $this->postJson('/ag-ui', ['prompt' => 'Hello'])->assertOk()->streamedContent();
        self::assertStringContainsString('"type":"RUN_STARTED","threadId":"thread-1","runId":"run-1"', $content);
        self::assertStringContainsString('"type":"RUN_FINISHED"', $content);
    }

    public function testAnUnknownFormatIsRefusedBeforeTheRunBegins(): void
    {
        $fake = Agent::fake('Hi');
        try {
            Agent::chat('Hello')->format('ai_sdk');
            self::fail('It was taken.');
        } catch (InvalidArgumentException $problem) {
            self::assertSame(
                'There is no format "ai_sdk". Write native, laravel, ai-sdk or ag-ui.',
                $problem->getMessage(),
            );
        }
        config(['agent-workers.stream.format' => 'sse']);
        $message = $this->ask(['prompt' => 'Hello'])->assertStatus(500)->json('message');
        self::assertSame('There is no format "sse". Write native, laravel, ai-sdk or ag-ui.', $message);
        self::assertSame([], $fake->requests());
    }

    public function testTheConfigurationDecidesWhatTheBrowserMayNot(): void
    {
        config([
            'agent-workers.workers.chat.model' => 'claude-x',
            'agent-workers.workers.chat.system_prompt' => 'Be brief.',
            'agent-workers.workers.chat.limits' => ['timeout_s' => 20, 'max_budget_usd' => null],
            'agent-workers.workers.chat.request' => ['thinking' => true],
        ]);
        $fake = Agent::fake('Hi');
        $this->ask(['prompt' => 'Hello'])->streamedContent();
        $request = $fake->requests()[0]->toArray();
        unset($request['run'], $request['session_owner']);
        self::assertEquals([
            'prompt' => 'Hello', 'model' => 'claude-x', 'system_prompt' => 'Be brief.', 'limits' => ['timeout_s' => 20],
            'thinking' => true,
        ], $request);
    }

    public function testTheApplicationMayChangeTheRequest(): void
    {
        $fake = Agent::fake('Hi');
        $run = Agent::chat('Hello')->model('m');
        $run->configure(static fn (Request $r): Request => $r->metadata(['user' => 7]));
        self::assertSame('Hi', $run->text());
        $fake->assertRan(static fn (Request $r): bool => $r->get('model') === 'm');
        $fake->assertRan(static fn (Request $r): bool => $r->get('metadata') === ['user' => 7]);
    }

    public function testAFailureIsAnEventAndNotAnHttpError(): void
    {
        Agent::fake(Script::error('overloaded', 'Too much to do.', true, ['retry_after_ms' => 1500]));
        $events = $this->eventsOf($this->ask(['prompt' => 'Hello'])->assertOk());
        $last = end($events);
        self::assertSame(['error', 'overloaded', true], [$last['type'], $last['code'], $last['retryable']]);
    }

    public function testACacheThatFailsCostsTheWayBackButNotTheAnswer(): void
    {
        $log = Log::spy();
        $this->app->instance(LoggerInterface::class, $log);
        Event::listen(KeyWritten::class, static function (KeyWritten $event): void {
            str_ends_with($event->key, ':0') && throw new \RuntimeException('The cache is gone.');
        });
        Agent::fake('Some words');
        $events = $this->eventsOf($this->ask(['prompt' => 'Hello'])->assertOk());
        self::assertSame(['done', 'Some words'], [end($events)['type'], end($events)['text']]);
        $log->shouldHaveReceived('warning')->once()
            ->withArgs(static fn (string $message): bool => str_ends_with($message, 'The cache is gone.'));
    }

    public function testAFakeKnowsWhatWasAsked(): void
    {
        $fake = Agent::fake()->when('Weather*', 'Rain.')->preventStrayRuns();
        $this->ask(['prompt' => 'Weather in Rome?'])->streamedContent();
        $fake->assertRan('Weather*');
        $fake->assertNotRan('News*');
        $fake->assertRanTimes(1);
    }
}
