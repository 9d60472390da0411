<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Http\ChatRequest;
use AgentWorkers\Testing\Script;
use Illuminate\Auth\Access\AuthorizationException;
use Illuminate\Auth\Middleware\Authenticate;
use Illuminate\Auth\Middleware\EnsureEmailIsVerified;
use Illuminate\Contracts\Http\Kernel;
use Illuminate\Http\Exceptions\ThrottleRequestsException;
use Illuminate\Http\Request;
use Illuminate\Session\Middleware\StartSession;
use Illuminate\Session\TokenMismatchException;
use Illuminate\Support\Facades\Route;
use Illuminate\Testing\TestResponse;
use Symfony\Component\HttpFoundation\Response;

/** Whoever asks for events or JSON is refused in a form that they can read. */
final class RenderingTest extends TestCase
{
    private const STREAM = 'text/event-stream';

    /** @dataProvider forms */
    public function testTheOneLinerBehindALoginTellsAScriptThatItIsSignedOut(string $accept): void
    {
        $fake = Agent::fake();
        Route::get('/login', static fn (): string => 'A form.')->name('login');
        Route::post('/ask', static fn (ChatRequest $request) => Agent::chat($request))->middleware(Authenticate::class);
        $this->refused('/ask', $accept, 401)->assertJsonPath('message', 'Unauthenticated.');
        $fake->assertNothingRan();
    }

    public function testABrowserIsLedToTheLoginAsEver(): void
    {
        Route::get('/login', static fn (): string => 'A form.')->name('login');
        Route::post('/ask', static fn () => 'never')->middleware([StartSession::class, Authenticate::class]);
        Route::getRoutes()->refreshNameLookups();
        $this->post('/ask', [], ['Accept' => 'text/html'])->assertRedirect('/login');
    }

    public function testAnApplicationWithoutALoginRouteTellsAScriptThatItIsSignedOut(): void
    {
        $leads = new class ($this->app->make('auth')) extends Authenticate {
            protected function redirectTo($request): ?string // as applications have it
            {
                return $request->expectsJson() ? null : route('login');
            }
        };
        $this->app->instance('signed-in', $leads);
        Route::post('/ask', static fn () => 'never')->middleware('signed-in');
        $this->refused('/ask', self::STREAM, 401)->assertJsonPath('message', 'Unauthenticated.');
    }

    /** @dataProvider streams */
    public function testMiddlewareThatRefusesByARedirectDoesNotRedirectAScript(string $accept): void
    {
        Route::get('/verify', static fn (): string => 'A form.')->name('verification.notice');
        Route::getRoutes()->refreshNameLookups();
        $fake = Agent::fake();
        Route::post('/ask', static fn (ChatRequest $request) => Agent::chat($request))
            ->middleware(EnsureEmailIsVerified::class);
        $this->refused('/ask', $accept, 403)->assertJsonPath('message', 'Your email address is not verified.');
        $this->post('/ask', [], ['Accept' => 'text/html'])->assertRedirect('/verify');
        $fake->assertNothingRan();
    }

    /** @dataProvider streams */
    public function testAScriptIsNotRedirectedWhateverMiddlewareReturns(string $accept): void
    {
        $leads = static fn (): Response => redirect('/billing')->withCookie(cookie('seen', 'yes'));
        Route::aliasMiddleware('subscribed', $leads);
        Route::post('/ask', static fn () => 'never')->middleware('subscribed');
        $this->refused('/ask', $accept, 403)->assertJsonPath('location', url('/billing'))
            ->assertCookie('seen', 'yes', false);
        $this->post('/ask', [], ['Accept' => 'text/html'])->assertRedirect('/billing');
    }

    /** @return array<string, array{string}> */
    public static function streams(): array
    {
        return ['alone' => [self::STREAM], 'above others' => ['text/html;q=0.8, */*;q=0.1, Text/Event-Stream']];
    }

    public function testTheRoutesAnswerInJsonAlsoWhereSomebodyAskedBeforeWhatIsAccepted(): void
    {
        $this->app->make(Kernel::class)->pushMiddleware(AsksWhatIsAccepted::class);
        Route::get('/login', static fn (): string => 'A form.')->name('login');
        Agent::routes('behind', middleware: [Authenticate::class]);
        foreach ([self::STREAM, '*/*', 'text/html'] as $accept) {
            $this->refused('/behind/chat', $accept, 401);
        }
    }

    /** @dataProvider refusals */
    public function testARefusalIsToldInJson(string $accept, \Closure $action, int $status): void
    {
        Route::post('/ask', $action);
        $this->refused('/ask', $accept, $status);
    }

    /** @return iterable<string, array{string, \Closure, int}> */
    public static function refusals(): iterable
    {
        $throw = static fn (\Closure $make): \Closure => static fn () => throw $make();
        $validate = static fn (Request $request) => $request->validate(['name' => 'required']);
        foreach (self::forms() as $form => [$accept]) {
            yield "403 $form" => [$accept, $throw(static fn () => new AuthorizationException('Not yours.')), 403];
            yield "404 $form" => [$accept, static fn () => abort(404), 404];
            yield "419 $form" => [$accept, $throw(static fn () => new TokenMismatchException('CSRF.')), 419];
            yield "422 $form" => [$accept, $validate, 422];
            yield "429 $form" => [$accept, $throw(static fn () => new ThrottleRequestsException('Slowly.')), 429];
            yield "500 $form" => [$accept, $throw(static fn () => new \DomainException('A bug.')), 500];
            yield "503 $form" => [$accept, static fn () => abort(503, 'Down.', ['Retry-After' => '60']), 503];
        }
    }

    /** @return array<string, array{string}> */
    public static function forms(): array
    {
        return ['as a stream' => [self::STREAM], 'in JSON' => ['application/json']];
    }

    /** @dataProvider forms */
    public function testAnAddressThatDoesNotExistIsToldInJson(string $accept): void
    {
        $this->refused('/nowhere', $accept, 404);
    }

    /**
     * @dataProvider failures
     *
     * @param array<string, mixed> $more
     */
    public function testAFailedRunHasAStatusAndItsCode(
        string $code,
        bool $retryable,
        array $more,
        int $status,
        ?string $retryAfter,
    ): void {
        $run = static fn () => Agent::chat('Hello')->text();
        Route::post('/ask', $run);
        Agent::fake()->when('*', Script::error($code, 'What went wrong.', $retryable, $more));
        $json = $this->postJson('/ask')->assertStatus($status)->assertJsonPath('code', $code)
            ->assertJsonPath('message', 'What went wrong.')->assertJsonPath('retryable', $retryable);
        self::assertSame($retryAfter, $json->headers->get('Retry-After'));
        $stream = $this->post('/ask', [], ['Accept' => self::STREAM])->assertStatus($status);
        $stream->assertHeader('Content-Type', 'text/event-stream; charset=utf-8');
        self::assertSame($retryAfter, $stream->headers->get('Retry-After'));
        self::assertMatchesRegularExpression('/^id: \S+\nevent: error\ndata: \{.*\}\n\n$/', $stream->getContent());
        self::assertStringContainsString("\"code\":\"$code\"", $stream->getContent());
        $page = $this->post('/ask', [], ['Accept' => 'text/html'])->assertStatus($status);
        self::assertStringStartsWith('text/html', (string) $page->headers->get('Content-Type'));
        self::assertSame($retryAfter, $page->headers->get('Retry-After'));
    }

    /** @return array<string, array{string, bool, array<string, mixed>, int, ?string}> */
    public static function failures(): array
    {
        return [
            'a limit that says when' => ['rate_limited', true, ['retry_after_ms' => 4200], 429, '5'],
            'a limit' => ['rate_limited', true, [], 429, '5'],
            'load' => ['overloaded', true, ['retry_after_ms' => 1000], 503, '1'],
            'a worker that died' => ['worker_lost', true, [], 503, '5'],
            'a busy session' => ['session_busy', true, [], 409, '5'],
            'a full pool' => ['pool_full', true, ['retry_after_ms' => 2000], 503, '2'],
            'a budget that is used up' => ['budget_exhausted', false, ['retry_after_ms' => 3_600_000], 429, '3600'],
            'a server that does not start' => ['mcp_unavailable', true, [], 503, '5'],
            'no such session' => ['session_not_found', false, [], 404, null],
            'a faulty request' => ['invalid_request', false, [], 422, null],
            'a proxy in between' => ['gateway', false, [], 502, null],
            'too long' => ['timeout', false, [], 504, null],
            'the account' => ['billing', false, [], 500, null],
            'a code that is new' => ['something_new', true, [], 503, '5'],
        ];
    }

    public function testARunThatSomebodyStoppedHasAStatusToo(): void
    {
        Agent::fake(Script::events(['type' => 'aborted', 'reason' => 'signal']));
        Route::post('/ask', static fn () => Agent::chat('Hello')->text());
        $this->postJson('/ask')->assertStatus(503)->assertJsonPath('code', 'aborted');
    }

    private function refused(string $address, string $accept, int $status): TestResponse
    {
        return $this->post($address, [], ['Accept' => $accept])->assertStatus($status)
            ->assertHeader('Content-Type', 'application/json')->assertJsonStructure(['message']);
    }
}
