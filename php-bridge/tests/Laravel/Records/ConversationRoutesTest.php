<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel\Records;

use AgentWorkers\Laravel\Events\ConversationCreated;
use AgentWorkers\Laravel\Events\ConversationDeleted;
use AgentWorkers\Laravel\Events\ConversationEvent;
use AgentWorkers\Laravel\Events\ConversationRenamed;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Records\AgentConversation;
use AgentWorkers\Laravel\Records\AgentMessage;
use AgentWorkers\Laravel\Records\AgentRun;
use AgentWorkers\Laravel\Records\AgentUsage;
use AgentWorkers\Laravel\Stream\Store;
use AgentWorkers\Testing\Script;
use AgentWorkers\Tests\Laravel\Databases;
use AgentWorkers\Tests\Laravel\TestCase;
use AgentWorkers\Tests\Scenarios;
use Illuminate\Auth\GenericUser;
use Illuminate\Database\Eloquent\Builder;
use Illuminate\Http\Request;
use Illuminate\Routing\Router;
use Illuminate\Session\Middleware\StartSession;
use Illuminate\Support\Facades\Cache;
use Illuminate\Support\Facades\Event as Events;

/** Recorded conversations over HTTP: their list, what was said, and what may be done with them. */
final class ConversationRoutesTest extends TestCase
{
    use Databases;
    use Scenarios;

    private const ONE = '5b6f4b60-5a3c-4d8a-9a52-1f1f5c1f2a11';
    private const TWO = '6b6f4b60-5a3c-4d8a-9a52-1f1f5c1f2a12';

    protected function setUp(): void
    {
        parent::setUp();
        $this->record();
        $this->app->make(Router::class)->middleware([StartSession::class])->group(static function (): void {
            Agent::conversationRoutes();
        });
    }

    public function testTheListHasTheVisitorsOwnWithTheLatestFirst(): void
    {
        Agent::fake('One', 'Two', 'Three', 'Four');
        $this->signIn(7);
        $this->say('First', self::ONE);
        $this->say('Second', self::TWO);
        $this->say('Third', self::ONE);
        $this->signIn(8);
        $this->say('Mine', '7b6f4b60-5a3c-4d8a-9a52-1f1f5c1f2a13');
        $this->signIn(7);
        $list = $this->getJson('/agent/conversations')->assertOk()->assertHeader('Cache-Control', 'no-store, private');
        self::assertSame([self::ONE, self::TWO], array_column($list->json('conversations'), 'id'));
        self::assertSame(['First', 'Second'], array_column($list->json('conversations'), 'title'));
        self::assertMatchesRegularExpression('/^\d{4}-.*Z$/', $list->json('conversations.0.updated_at'));
        self::assertNull($list->json('next'));
    }

    public function testAVisitorWithoutASignInHasThoseOfTheSession(): void
    {
        Agent::fake('One', 'Two');
        $this->asVisitor('Ada');
        $this->say('First', self::ONE);
        $this->asVisitor('Bob');
        $this->getJson('/agent/conversations')->assertExactJson(['conversations' => [], 'next' => null]);
        $this->getJson('/agent/conversations/' . self::ONE)->assertNotFound();
        $this->asVisitor('Ada');
        self::assertSame([self::ONE], $this->ids());
    }

    public function testAListIsReadInPagesWhileItChanges(): void
    {
        $this->signIn(7);
        foreach (range(1, 5) as $number) {
            $this->make("c$number", "2026-11-20 12:00:0$number.000");
        }
        $first = $this->getJson('/agent/conversations?limit=2');
        $this->make('c6', '2026-11-20 12:00:06.000');
        $second = $this->getJson('/agent/conversations?limit=2&before=' . $first->json('next'));
        $third = $this->getJson('/agent/conversations?limit=2&before=' . $second->json('next'));
        self::assertSame([['c5', 'c4'], ['c3', 'c2'], ['c1'], null], [
            ...array_map(
                static fn ($page): array => array_column($page->json('conversations'), 'id'),
                [$first, $second, $third],
            ),
            $third->json('next'),
        ]);
        $this->getJson('/agent/conversations?before=nonsense&limit=x')->assertOk()->assertJsonCount(6, 'conversations');
    }

    public function testTheListHasThoseInWhichItsWorkerAnswered(): void
    {
        Agent::tool('city', 'The city.', ['type' => 'object'], static fn (): string => 'Rome');
        Agent::allowCommand('city', true);
        Agent::fake('One', 'Two');
        $user = new GenericUser(['id' => 7]);
        $this->signIn(7);
        $this->say('Hello', self::ONE);
        $this->say('/city', self::ONE);
        Agent::task('Do it', '/')->owner($user)->conversation(self::TWO)->run();
        self::assertSame('agent-tool', AgentConversation::query()->find(self::ONE)->worker);
        self::assertSame([self::ONE], $this->ids());
        $this->app->make(Router::class)->middleware([StartSession::class])->group(static function (): void {
            Agent::conversationRoutes('task/conversations', 'task');
        });
        self::assertSame([self::TWO], array_column($this->getJson('/task/conversations')->json('conversations'), 'id'));
    }

    public function testAConversationShowsWhatWasSaidWithCallsAndDecisions(): void
    {
        Agent::fake(Script::text('Done.')->asking('Bash', ['command' => 'ls']), Script::error('auth', 'No account.'));
        $this->signIn(7);
        $run = Agent::chat('Look')->conversation(self::ONE)->owner(new GenericUser(['id' => 7]))
            ->onPermission(static fn (): bool => true)->run()->run;
        $this->say('Again', self::ONE);
        $shown = $this->getJson('/agent/conversations/' . self::ONE)->assertOk();
        self::assertSame([$run, 'done'], [$shown->json('runs.0.id'), $shown->json('runs.0.status')]);
        self::assertSame(
            ['question', 'tool_call', 'permission', 'tool_result', 'text'],
            array_column($shown->json('runs.0.messages'), 'kind'),
        );
        $call = $shown->json('runs.0.messages.1');
        self::assertSame(['Bash', ['command' => 'ls']], [$call['name'], $call['content']]);
        $decision = $shown->json('runs.0.messages.2');
        self::assertSame(['allow', '7', $call['tool_use_id']], [
            $decision['status'], $decision['actor'], $decision['tool_use_id'],
        ]);
        self::assertSame(['error', 'auth', 'No account.', null], [
            $shown->json('runs.1.status'), $shown->json('runs.1.code'), $shown->json('runs.1.error'),
            $shown->json('runs.0.error'),
        ]);
        self::assertArrayNotHasKey('cost_usd', $shown->json('runs.0'));
        $page = $this->getJson('/agent/conversations/' . self::ONE . '?limit=1');
        self::assertSame(['Again'], array_column($page->json('runs.0.messages'), 'content'));
        $before = $this->getJson('/agent/conversations/' . self::ONE . '?limit=1&before=' . $page->json('next'));
        self::assertSame([$run], array_column($before->json('runs'), 'id'));
    }

    public function testItSaysWhetherTheToolsHaveChangedSince(): void
    {
        $this->signIn(7);
        $this->make('c1', '2026-11-20 12:00:00.000', ['tools' => ['Read', 'mcp__app__city', 'mcp__app__gone']]);
        Agent::tool('city', 'The city.', ['type' => 'object'], static fn (): string => 'Rome');
        class_exists('Deal') || eval('class Deal {}'); // a class of the application that is called as a tool is
        Agent::tool('deal', 'The deal.', ['type' => 'object'], static fn (): string => 'Big');
        config(['agent-workers.workers.chat.app_tools' => ['city', 'deal']]);
        $this->getJson('/agent/conversations/c1')
            ->assertJsonPath('tools_changed', ['added' => ['deal'], 'removed' => ['gone']]);
        config(['agent-workers.workers.chat.app_tools' => []]);
        $this->make('c2', '2026-11-20 12:00:00.000', ['tools' => ['mcp__app__city']]);
        $this->getJson('/agent/conversations/c2')->assertJsonPath('tools_changed', null);
    }

    public function testOneIsBegunRenamedAndDeleted(): void
    {
        $told = [];
        foreach ([ConversationCreated::class, ConversationRenamed::class, ConversationDeleted::class] as $class) {
            Events::listen($class, static function (ConversationEvent $event) use (&$told): void {
                $told[] = [class_basename($event), $event->conversation];
            });
        }
        $this->signIn(7);
        $id = $this->postJson('/agent/conversations', ['title' => 'Fair'])->assertCreated()->json('conversation.id');
        Agent::fake('Hi', 'Two');
        $this->say('Hello', $id);
        self::assertSame('Fair', $this->getJson("/agent/conversations/$id")->json('conversation.title'));
        $this->patchJson("/agent/conversations/$id", ['title' => 'Fairs'])->assertOk()
            ->assertJsonPath('conversation.title', 'Fairs');
        $this->patchJson("/agent/conversations/$id", ['title' => ''])->assertStatus(422);
        $this->patchJson("/agent/conversations/$id", ['owner' => '8', 'title' => 'x'])->assertStatus(422);
        $this->deleteJson("/agent/conversations/$id")->assertNoContent();
        self::assertSame([0, 0, 0], [
            AgentConversation::query()->count(), AgentRun::query()->count(), AgentMessage::query()->count(),
        ]);
        self::assertSame(1, AgentUsage::query()->count()); // what it has cost is still counted
        self::assertNull($this->app->make(Store::class)->conversation($id));
        $this->getJson("/agent/conversations/$id")->assertNotFound();
        self::assertSame([
            ['ConversationCreated', $id], ['ConversationRenamed', $id], ['ConversationDeleted', $id],
        ], $told);
    }

    public function testTheFilesOfItsSessionGoAlong(): void
    {
        config([
            'agent-workers.binaries' => [
                'agent-chat' => $this->binary('agent-chat'),
                'agent-workers' => $this->binary('agent-workers'),
            ],
            'agent-workers.simulate' => true,
            'agent-workers.env' => ['HOME' => $this->directory(), 'ANTHROPIC_API_KEY' => null],
            'agent-workers.state_dir' => $this->directory() . '/state',
        ]);
        $this->signIn(7);
        $this->say('Hello', self::ONE);
        $this->say('Hello', self::TWO);
        self::assertSame(['done', 'done'], AgentRun::query()->pluck('status')->all());
        $kept = fn (): int => count(glob($this->directory() . '/state/simulator/claude/projects/*/*.jsonl') ?: []);
        self::assertSame(2, $kept());
        $this->deleteJson('/agent/conversations/' . self::ONE)->assertNoContent();
        self::assertSame(1, $kept());
        $this->say('Go on', self::TWO);
        self::assertSame(['done', 'done'], AgentRun::query()->pluck('status')->all());
    }

    public function testSomebodyElsesIsAsOneThatThereIsNot(): void
    {
        Agent::fake('One', 'Two');
        $this->signIn(7);
        $this->say('First', self::ONE);
        $this->signIn(8);
        $address = '/agent/conversations/' . self::ONE;
        $this->getJson($address)->assertNotFound();
        $this->patchJson($address, ['title' => 'x'])->assertNotFound();
        $this->deleteJson($address)->assertNotFound();
        self::assertSame([], $this->ids());
        Cache::flush(); // the records know whose it is, when the cache has forgotten
        $this->ask(['prompt' => 'Mine now', 'conversation' => self::ONE])->assertNotFound();
        self::assertSame('First', AgentConversation::query()->sole()->title);
        $this->signIn(7);
        $this->say('Go on', self::ONE);
        self::assertSame(2, AgentRun::query()->where('conversation_id', self::ONE)->count());
    }

    public function testAPageThatGoesOnByTheSessionsIdStaysInTheConversation(): void
    {
        $this->signIn(7);
        $this->make('c1', '2026-11-20 12:00:00.000', ['session_id' => self::TWO, 'tools' => []]);
        $fake = Agent::fake('One');
        $this->say('Go on', self::TWO);
        self::assertSame(['c1'], AgentRun::query()->pluck('conversation_id')->all());
        self::assertSame(['c1'], $this->ids());
        self::assertSame(self::TWO, $fake->requests()[0]->get('session')['resume']);
        $this->signIn(8);
        Cache::flush();
        $this->ask(['prompt' => 'Mine', 'conversation' => self::TWO])->assertNotFound();
    }

    public function testAnAnswerThatIsBeingWrittenIsNotDeleted(): void
    {
        $this->signIn(7);
        $this->make(self::ONE, '2026-11-20 12:00:00.000');
        $this->app->make(Store::class)->takeLease(self::ONE, 'run-1');
        $this->deleteJson('/agent/conversations/' . self::ONE)->assertStatus(409)
            ->assertJsonPath('code', 'session_busy');
        self::assertSame(1, AgentConversation::query()->count());
    }

    public function testTheApplicationSaysWhoSeesWhat(): void
    {
        $this->signIn(7);
        $this->make('c1', '2026-11-20 12:00:01.000', ['tenant' => 'acme']);
        $this->make('c2', '2026-11-20 12:00:02.000', ['owner' => '8', 'tenant' => 'acme']);
        $this->make('c3', '2026-11-20 12:00:03.000', ['owner' => '8', 'tenant' => 'other']);
        foreach (
            [
            [['tenant' => 'acme'], ['c2', 'c1']],
            [['tenant' => null], []],
            ['8', ['c3', 'c2']],
            [new GenericUser(['id' => 8]), ['c3', 'c2']],
            [null, []],
            // Whatever the closure does, it stays within its brackets.
            [static fn (Builder $query) => $query->where('owner', '7')->orWhere('id', 'c3'), ['c3', 'c1']],
            ] as [$scope, $ids]
        ) {
            Agent::conversationsFor(static fn (Request $request) => $scope);
            self::assertSame($ids, $this->ids());
        }
        $this->getJson('/agent/conversations/c2')->assertNotFound();
        $this->getJson('/agent/conversations/c1')->assertOk();
        Agent::conversationsFor(static fn (): array => ['tenant' => 'acme']);
        $id = $this->postJson('/agent/conversations')->assertCreated()->json('conversation.id');
        $made = AgentConversation::query()->findOrFail($id);
        self::assertSame(['7', 'acme', null], [$made->owner, $made->tenant, $made->title]);
        Agent::conversationsFor(static fn () => null);
        $this->postJson('/agent/conversations')->assertForbidden();
    }

    public function testWithoutRecordsThereAreNone(): void
    {
        config(['agent-workers.records.enabled' => false]);
        $this->signIn(7);
        $this->getJson('/agent/conversations')->assertExactJson(['conversations' => [], 'next' => null]);
        $this->getJson('/agent/conversations/x')->assertNotFound();
        $this->postJson('/agent/conversations')->assertForbidden();
    }

    /** @param array<string, mixed> $more */
    private function make(string $id, string $at, array $more = []): void
    {
        AgentConversation::query()->create($more + [
            'id' => $id, 'owner' => '7', 'worker' => 'agent-chat', 'created_at' => $at, 'updated_at' => $at,
        ]);
    }

    /** @return list<string> */
    private function ids(): array
    {
        return array_column($this->getJson('/agent/conversations')->assertOk()->json('conversations'), 'id');
    }

    private function signIn(int $id): void
    {
        $this->actingAs(new GenericUser(['id' => $id]));
    }

    private function say(string $prompt, string $conversation): void
    {
        $this->ask(['prompt' => $prompt, 'conversation' => $conversation])->streamedContent();
    }
}
