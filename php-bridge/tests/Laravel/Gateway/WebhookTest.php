<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel\Gateway;

use AgentWorkers\Event\Done;
use AgentWorkers\Event\PermissionRequest;
use AgentWorkers\Laravel\Events\RunEnded;
use AgentWorkers\Laravel\Events\WebhookReceived;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Records\AgentConversation;
use AgentWorkers\Laravel\Records\AgentRun;
use AgentWorkers\Tests\Laravel\Databases;
use AgentWorkers\Tests\Laravel\TestCase;
use Illuminate\Contracts\Events\Dispatcher;
use Illuminate\Foundation\Application;
use Illuminate\Routing\Router;
use Illuminate\Session\Middleware\StartSession;
use Illuminate\Testing\TestResponse;

/** What the gateway tells is taken once, and from the gateway alone. */
final class WebhookTest extends TestCase
{
    use Databases;

    private const SECRET = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';
    private const OTHER = 'whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=';
    private const RUN = '5f0c9d3e-1111-4222-8333-444455556666';
    private const CONVERSATION = '3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34';
    private const HEAD = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

    /** @var list<WebhookReceived|RunEnded> */
    private array $told = [];

    protected function setUp(): void
    {
        parent::setUp();
        $router = $this->app->make(Router::class);
        $router->middleware([StartSession::class, AskingForms::class])->group(static function (Router $router): void {
            Agent::webhooks('agent');
            $router->post('form', static fn (): string => 'taken');
        });
        $note = function (WebhookReceived|RunEnded $event): void {
            $this->told[] = $event;
        };
        $this->app->make(Dispatcher::class)->listen([WebhookReceived::class, RunEnded::class], $note);
    }

    protected function configure(Application $app): void
    {
        parent::configure($app);
        $app->make('config')->set('agent-workers.gateway', ['webhook_secrets' => [null, self::SECRET]]);
    }

    public function testTheEndOfARunIsTold(): void
    {
        $this->send(self::body())->assertNoContent();
        [$received, $ended] = $this->told;
        $webhook = $received->webhook;
        self::assertSame([self::RUN, 'chat', '7'], [$received->run, $received->worker, $received->user]);
        self::assertInstanceOf(Done::class, $webhook->event);
        self::assertSame(
            ['run.ended', 'agent-chat', 'Hello!', 10, 'acme', self::CONVERSATION, self::HEAD, ['event.text']],
            [
                $webhook->type, $webhook->worker, $webhook->event->text, $webhook->usage->inputTokens,
                $webhook->tenant, $webhook->conversation, $webhook->chainHead, $webhook->truncated,
            ],
        );
        self::assertSame('https://agents.example/v1/runs/' . self::RUN . '/events', $webhook->transcript);
        self::assertTrue($ended->isDone());
        self::assertSame(
            [self::RUN, 'chat', ['type' => 'deal', 'id' => '9'], 'Sell it.', ['from' => 'page'], 0.00044, 1200],
            [
                $ended->run, $ended->worker, $ended->subject, $ended->goal, $ended->metadata, $ended->costUsd,
                $ended->durationMs,
            ],
        );
    }

    public function testWhatTheAgentAsksIsToldAndEndsNothing(): void
    {
        $asked = [
            'type' => 'permission_request', 'seq' => 4, 'ts' => '2026-11-27T10:00:00.000Z', 'permission_id' => 'p1',
            'tool_use_id' => 't1', 'name' => 'Bash', 'input' => ['command' => 'ls'],
            'expires_at' => '2026-11-27T10:02:00.000Z',
        ];
        $this->send(self::body(['event' => $asked], 'run.asked'))->assertNoContent();
        [$received] = $this->told;
        self::assertCount(1, $this->told);
        self::assertInstanceOf(PermissionRequest::class, $received->webhook->event);
        self::assertFalse($received->webhook->isEnded());
    }

    public function testARepeatedOneIsAnsweredWellAndTakenOnce(): void
    {
        $this->send(self::body(), id: 'r.end')->assertNoContent();
        $this->send(self::body(), id: 'r.end')->assertNoContent();
        $this->send(self::body(), id: 'another.end')->assertNoContent();
        self::assertCount(4, $this->told);
    }

    public function testOneThatFailsIsToldAgain(): void
    {
        $fails = true;
        $this->app->make(Dispatcher::class)->listen(WebhookReceived::class, static function () use (&$fails): void {
            $fails && throw new \RuntimeException('The database is away.');
        });
        $this->send(self::body())->assertStatus(500);
        $fails = false;
        $this->send(self::body())->assertNoContent();
        self::assertInstanceOf(RunEnded::class, end($this->told));
        $this->send(self::body())->assertNoContent();
        self::assertCount(3, $this->told);
    }

    public function testOneThatIsBeingTakenIsToldAgainLater(): void
    {
        $inner = null;
        $listener = function () use (&$inner): void {
            $inner ??= $this->send(self::body());
        };
        $this->app->make(Dispatcher::class)->listen(WebhookReceived::class, $listener);
        $this->send(self::body())->assertNoContent();
        $inner->assertStatus(503)->assertHeader('Retry-After', '5');
    }

    public function testWhileSecretsAreRotatedBothHold(): void
    {
        config(['agent-workers.gateway.webhook_secrets' => [self::OTHER, self::SECRET]]);
        $this->send(self::body(), id: 'one', secret: self::SECRET)->assertNoContent();
        $this->send(self::body(), id: 'two', secret: self::OTHER)->assertNoContent();
        $signature = 'v1a,xx v1,' . base64_encode('wrong') . ' ' . self::sign('three', time(), self::body());
        $this->send(self::body(), id: 'three', headers: ['webhook-signature' => $signature])->assertNoContent();
    }

    public function testAForeignOneIsRefused(): void
    {
        $now = time();
        $body = self::body();
        $good = self::sign('r.end', $now, $body);
        $attacks = [
            'another secret' => [$body, ['webhook-signature' => self::sign('r.end', $now, $body, self::OTHER)]],
            'an altered body' => [str_replace('Hello!', 'Hellö!', $body), []],
            'a space more' => ["$body ", []],
            'another id' => [$body, ['webhook-id' => 's.end']],
            'another time' => [$body, ['webhook-timestamp' => (string) ($now + 1)]],
            'a form of another version' => [$body, ['webhook-signature' => str_replace('v1,', 'v2,', $good)]],
            'no version' => [$body, ['webhook-signature' => substr($good, 3)]],
            'an empty signature' => [$body, ['webhook-signature' => 'v1,']],
            'no signature' => [$body, ['webhook-signature' => null]],
            'no id' => [$body, ['webhook-id' => null]],
            'no time' => [$body, ['webhook-timestamp' => null]],
            'a time that is none' => [$body, ['webhook-timestamp' => "$now.0"]],
            'endless signatures' => [$body, ['webhook-signature' => str_repeat("$good ", 200)]],
        ];
        foreach ($attacks as $name => [$sent, $headers]) {
            $headers += [
                'webhook-id' => 'r.end', 'webhook-timestamp' => (string) $now, 'webhook-signature' => $good,
            ];
            self::assertSame(401, $this->send($sent, headers: $headers)->getStatusCode(), $name);
        }
        self::assertSame([], $this->told);
        $this->send($body, at: $now)->assertNoContent(); // none of them has used its id up
        self::assertCount(2, $this->told);
    }

    public function testAnOldOneIsRefusedAndOneFromTheFuture(): void
    {
        foreach ([-301, 301, -86_400] as $off) {
            $this->send(self::body(), at: time() + $off)->assertUnauthorized();
        }
        $this->send(self::body(), at: time() - 290)->assertNoContent();
        self::assertCount(2, $this->told);
    }

    public function testAHugeOneIsRefused(): void
    {
        $body = self::body(['goal' => str_repeat('x', 64 * 1024)]);
        $this->send($body)->assertStatus(413);
        $this->send($body, headers: ['Content-Length' => '10'])->assertStatus(413);
        $this->send(self::body(), headers: ['Content-Length' => '1073741824'])->assertStatus(413);
        self::assertSame([], $this->told);
    }

    public function testWhatTellsOfNoRunIsRefused(): void
    {
        foreach (['', '[]', '{}', 'null', '{"type":"run.ended","timestamp":"x","data":{"run":7}}'] as $body) {
            $this->send($body)->assertStatus(422);
        }
    }

    public function testWithoutASecretNoneIsTaken(): void
    {
        config(['agent-workers.gateway.webhook_secrets' => [null]]);
        $this->send(self::body())->assertStatus(500);
        config(['agent-workers.gateway.webhook_secrets' => ['whsec_c2hvcnQ=']]);
        $this->send(self::body())->assertStatus(500);
        self::assertSame([], $this->told);
    }

    public function testNoTokenOfAFormIsAskedFor(): void
    {
        $this->post('/form')->assertStatus(419);
        $this->send(self::body())->assertNoContent();
    }

    public function testTheRunIsRecorded(): void
    {
        $this->record();
        $this->send(self::body())->assertNoContent();
        $run = AgentRun::query()->sole();
        self::assertSame(
            [self::RUN, 'done', '7', 'acme', 'agent-chat', 'Sell it.', self::HEAD, 9, self::CONVERSATION],
            [
                $run->id, $run->status, $run->user, $run->tenant, $run->worker, $run->goal, $run->chain_head,
                $run->last_seq, $run->conversation_id,
            ],
        );
        self::assertSame('2026-11-27 09:59:58.800', $run->started_at->format('Y-m-d H:i:s.v'));
        self::assertSame([10, '7'], [$run->usage->sole()->input_tokens, $run->usage->sole()->user]);
        self::assertSame('7', AgentConversation::query()->sole()->owner);
        $this->send(self::body(), id: 'another')->assertNoContent();
        self::assertSame(1, AgentRun::query()->count());
    }

    public function testARunThatWasFollowedKeepsWhatIsKnownOfIt(): void
    {
        $this->record();
        $row = ['id' => self::RUN, 'worker' => 'agent-chat', 'status' => 'done', 'attempts' => 2, 'last_seq' => 9];
        AgentRun::query()->create($row + ['model' => 'claude-opus-5-5', 'started_at' => '2026-11-27 09:59:00.000']);
        $this->send(self::body())->assertNoContent();
        self::assertSame('claude-opus-5-5', AgentRun::query()->sole()->model);
    }

    public function testADatabaseThatIsAwayStopsNoWebhook(): void
    {
        config([
            'agent-workers.records' => ['enabled' => true, 'spool' => ['path' => $this->directory() . '/spool']],
            'database.connections.none' => ['driver' => 'sqlite', 'database' => '/nowhere/at/all'],
        ]);
        $this->send(self::body())->assertNoContent();
        self::assertFileExists($this->directory() . '/spool');
    }

    /** @param array<string, mixed> $more */
    private static function body(array $more = [], string $type = 'run.ended'): string
    {
        $event = [
            'type' => 'done', 'text' => 'Hello!', 'seq' => 9, 'ts' => '2026-11-27T10:00:00.000Z', 'prev' => self::HEAD,
            'stop_reason' => 'end_turn', 'duration_ms' => 1200, 'turns' => 1, 'usage' => ['input_tokens' => 10],
        ];
        $data = $more + [
            'run' => self::RUN, 'worker' => 'agent-chat', 'user' => '7', 'tenant' => 'acme',
            'conversation' => self::CONVERSATION, 'subject' => ['type' => 'deal', 'id' => '9'], 'goal' => 'Sell it.',
            'metadata' => ['from' => 'page'],
            'transcript' => 'https://agents.example/v1/runs/' . self::RUN . '/events', 'event' => $event,
            'usage' => ['input_tokens' => 10, 'output_tokens' => 3], 'cost_usd' => 0.00044,
            'session_id' => '159f0c9d-1111-4222-8333-444455556666', 'state' => 'done', 'chain_head' => self::HEAD,
            'truncated' => ['event.text'],
        ];

        return json_encode(['type' => $type, 'timestamp' => '2026-11-27T10:00:00.000Z', 'data' => $data]);
    }

    private static function sign(string $id, int $at, string $body, string $secret = self::SECRET): string
    {
        $key = base64_decode(substr($secret, 6));

        return 'v1,' . base64_encode(hash_hmac('sha256', "$id.$at.$body", $key, true));
    }

    /** @param array<string, string|null> $headers null leaves one out */
    private function send(
        string $body,
        string $id = 'r.end',
        string $secret = self::SECRET,
        ?int $at = null,
        array $headers = [],
    ): TestResponse {
        $at ??= time();
        $headers += [
            'webhook-id' => $id,
            'webhook-timestamp' => (string) $at,
            'webhook-signature' => self::sign($id, $at, $body, $secret),
            'Content-Type' => 'application/json',
        ];
        $given = array_filter($headers, static fn (?string $value): bool => $value !== null);

        return $this->call('POST', '/agent/webhooks', [], [], [], $this->transformHeadersToServerVars($given), $body);
    }
}
