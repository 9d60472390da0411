<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel\Gateway;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Gateway\PendingToken;
use AgentWorkers\Tests\Laravel\TestCase;
use Illuminate\Auth\GenericUser;
use Illuminate\Foundation\Application;
use Illuminate\Http\Request;
use Illuminate\Routing\Router;
use Illuminate\Session\Middleware\StartSession;
use Illuminate\Support\Carbon;

/** Tokens for the gateway, and the route by which a page gets its own. */
final class TokenTest extends TestCase
{
    private const UUID = '3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34';
    private const OLD = '0123456789abcdef0123456789abcdef';
    private const NEW = 'fedcba9876543210fedcba9876543210';

    protected function configure(Application $app): void
    {
        parent::configure($app);
        $app->make('config')->set('agent-workers.gateway', [
            'url' => 'https://agents.example/',
            'audience' => 'https://agents.example',
            'issuer' => null,
            'key_id' => null,
            'keys' => [
                'old' => ['algorithm' => 'HS256', 'key' => self::OLD],
                'new' => ['algorithm' => 'HS256', 'key' => self::NEW],
            ],
            'webhook_secrets' => [],
        ]);
    }

    public function testATokenSaysForWhomAndAboutWhatItIs(): void
    {
        Carbon::setTestNow('2026-11-27 10:00:00');
        $token = Agent::token(new GenericUser(['id' => 7]))->worker('chat')->preset('sales')->subject('deal', 9)
            ->goal('Sell it.')->tenant('acme')->conversation(self::UUID)->once()->narrow(['max_turns' => 3])
            ->runs(['r1'])->expiresIn(90);
        $claims = self::read($token->toString());
        self::assertNotSame('', $claims['jti']);
        unset($claims['jti']);
        self::assertSame([
            'aud' => 'https://agents.example', 'iat' => 1795773600, 'exp' => 1795773690, 'sub' => '7',
            'worker' => 'agent-chat', 'preset' => 'sales', 'subject' => ['type' => 'deal', 'id' => '9'],
            'goal' => 'Sell it.', 'tenant' => 'acme', 'conversation' => self::UUID, 'once' => true,
            'narrow' => ['max_turns' => 3], 'runs' => ['r1'],
        ], $claims);
    }

    public function testEachIsAnotherOneAndLivesForAMinute(): void
    {
        $token = Agent::token('system')->preset('chat');
        [$one, $other] = [self::read((string) $token), self::read((string) $token)];
        self::assertNotSame($one['jti'], $other['jti']);
        self::assertSame(60, $one['exp'] - $one['iat']);
    }

    public function testOfSeveralKeysTheNamedOneSigns(): void
    {
        self::assertSame('old', self::header((string) Agent::token('7')->preset('chat'))['kid']);
        config(['agent-workers.gateway.key_id' => 'new']);
        self::assertSame('new', self::header((string) Agent::token('7')->preset('chat'))['kid']);
    }

    public function testAKeyMayStandInAFile(): void
    {
        file_put_contents($file = $this->directory() . '/key', self::NEW . "\n");
        config(['agent-workers.gateway.keys' => ['filed' => ['file' => $file]]]);
        [$header, $claims, $signature] = explode('.', (string) Agent::token('7')->preset('chat'));
        self::assertSame(
            rtrim(strtr(base64_encode(hash_hmac('sha256', "$header.$claims", self::NEW, true)), '+/', '-_'), '='),
            $signature,
        );
    }

    public function testNoRunsAreFewerThanAll(): void
    {
        self::assertSame([], self::read((string) Agent::token('7')->runs([]))['runs']);
    }

    /**
     * @dataProvider refusals
     *
     * @param \Closure(PendingToken): mixed $say
     */
    public function testWhatNoTokenMayBeIsRefused(\Closure $say): void
    {
        $this->expectException(\InvalidArgumentException::class);
        $say(Agent::token('7')->preset('chat'));
    }

    /** @return iterable<string, array{\Closure(PendingToken): mixed}> */
    public static function refusals(): iterable
    {
        yield 'it lives too long' => [static fn (PendingToken $token) => $token->expiresIn(121)->toString()];
        yield 'it has ended' => [static fn (PendingToken $token) => $token->expiresIn(0)->toString()];
        yield 'no such worker' => [static fn (PendingToken $token) => $token->worker('chta')];
        yield 'a slip in what it takes away' => [static fn (PendingToken $token) => $token->narrow(['turns' => 3])];
        yield 'no UUID' => [static fn (PendingToken $token) => $token->conversation('mine')];
        yield 'no run' => [static fn (PendingToken $token) => $token->runs(["a\nb"])];
        yield 'reading that starts' => [static fn (PendingToken $token) => $token->readOnly()->toString()];
    }

    public function testOneForReadingMayLiveForAnHour(): void
    {
        $claims = self::read((string) Agent::token('7')->runs(['r1'])->readOnly()->expiresIn(3600));
        self::assertSame(['read', ['r1'], 3600], [$claims['use'], $claims['runs'], $claims['exp'] - $claims['iat']]);
        $this->expectException(InvalidArgumentException::class);
        Agent::token('7')->readOnly()->expiresIn(3601)->toString();
    }

    public function testAWeakKeySignsNothing(): void
    {
        config(['agent-workers.gateway.keys' => ['weak' => ['algorithm' => 'HS256', 'key' => 'secret']]]);
        $this->expectExceptionMessage('6 bytes');
        Agent::token('7')->preset('chat')->toString();
    }

    public function testWithoutAKeyItSaysWhatToSet(): void
    {
        config(['agent-workers.gateway.keys' => ['laravel' => ['algorithm' => 'HS256', 'key' => null]]]);
        $this->expectExceptionMessage('AGENT_GATEWAY_KEY');
        Agent::token('7')->preset('chat')->toString();
    }

    public function testThePageGetsTheTokenThatTheGateAllows(): void
    {
        $this->gate(static fn (Request $request, PendingToken $token): PendingToken => $token->preset('chat')
            ->tenant($request->user()->tenant)->conversation((string) $request->input('conversation')));
        $this->actingAs(new GenericUser(['id' => 7, 'tenant' => 'acme']));
        $response = $this->postJson('/agent/token', ['conversation' => self::UUID])->assertOk();
        self::assertStringContainsString('no-store', $response->headers->get('Cache-Control'));
        self::assertSame(['https://agents.example', 60], [$response->json('url'), $response->json('expires_in')]);
        $claims = self::read($response->json('token'));
        self::assertSame(['7', 'acme', self::UUID], [$claims['sub'], $claims['tenant'], $claims['conversation']]);
        self::assertSame(gmdate('Y-m-d\TH:i:s\Z', $claims['exp']), $response->json('expires_at'));
    }

    /** @dataProvider denials */
    public function testWhoIsRefusedGetsNone(mixed $answer): void
    {
        $this->gate(static fn (): mixed => $answer);
        $this->actingAs(new GenericUser(['id' => 7]));
        $this->postJson('/agent/token')->assertForbidden()->assertJsonMissing(['token']);
    }

    /** @return list<array{mixed}> */
    public static function denials(): array
    {
        return [[null], [false]];
    }

    public function testAGuestGetsNoneUnlessTheApplicationSaysSo(): void
    {
        $this->gate(static fn (Request $request, PendingToken $token): PendingToken => $token->preset('chat'));
        $this->asVisitor('Ada');
        $this->postJson('/agent/token')->assertUnauthorized();
        $this->gate(static fn (Request $request, PendingToken $token): PendingToken => $token->preset('chat'), true);
        $ada = self::read($this->postJson('/agent/token')->assertOk()->json('token'))['sub'];
        $this->asVisitor('Ben');
        $ben = self::read($this->postJson('/agent/token')->assertOk()->json('token'))['sub'];
        self::assertNotSame($ada, $ben);
        self::assertStringNotContainsString(self::sessionOf('Ada'), $ada);
    }

    public function testWithoutAGateNobodyGetsOne(): void
    {
        $this->routes();
        $this->actingAs(new GenericUser(['id' => 7]));
        $this->withoutExceptionHandling();
        $this->expectException(LogicException::class);
        $this->postJson('/agent/token');
    }

    private function gate(\Closure $gate, bool $guests = false): void
    {
        Agent::gatewayTokens($gate, $guests);
        $this->routes();
    }

    private function routes(): void
    {
        $this->app->make(Router::class)->middleware([StartSession::class])->group(static function (): void {
            Agent::gatewayRoutes();
        });
    }

    /** @return array<string, mixed> */
    private static function header(string $token): array
    {
        return json_decode(base64_decode(explode('.', $token)[0]), true);
    }

    /** @return array<string, mixed> */
    private static function read(string $token): array
    {
        return json_decode(base64_decode(strtr(explode('.', $token)[1], '-_', '+/')), true);
    }
}
