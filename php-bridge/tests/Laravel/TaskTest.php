<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Decision;
use AgentWorkers\Event\PermissionRequest;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Http\ChatRequest;
use AgentWorkers\Laravel\Stream\Store;
use AgentWorkers\Testing\FakeRunner;
use AgentWorkers\Testing\Script;
use AgentWorkers\Tests\Scenarios;
use Illuminate\Cache\ArrayStore;
use Illuminate\Cache\Repository;
use Illuminate\Contracts\Cache\Factory;
use Illuminate\Routing\Router;
use Illuminate\Session\Middleware\StartSession;
use Illuminate\Testing\TestResponse;

final class TaskTest extends TestCase
{
    use Scenarios;

    private const UUID = '8b8c3f0e-6a51-4a3e-9a55-0f0f6f1c2d3e';
    private const ALLOW = ['behavior' => 'allow'];

    public function testAQuestionIsFoundInAStoreThatGivesNumbersBackAsStringsLikeRedis(): void
    {
        $numbersAsStrings = new class extends ArrayStore {
            public function get($key): mixed
            {
                $value = parent::get($key);

                return is_numeric($value) ? (string) $value : $value;
            }
        };
        $caches = $this->createMock(Factory::class);
        $caches->method('store')->willReturn(new Repository($numbersAsStrings));
        $store = new Store($caches, $this->app->make('config'));
        $store->putQuestion('owner', self::UUID, 'question', $expiry = time() + 60);
        self::assertSame($expiry, $store->question('owner', self::UUID, 'question'));
        self::assertNull($store->question('another', self::UUID, 'question'));
    }

    public function testATaskSaysWhatItsAgentMayDo(): void
    {
        $fake = Agent::fake('Done.');
        Agent::task('Tidy up.', '/srv/work')
            ->tools(['Read', 'Bash'])
            ->allow(['Read'])
            ->deny(['Bash(rm:*)'])
            ->ask(30)
            ->run();
        $request = $fake->requests()[0]->toArray();
        self::assertSame(
            ['/srv/work', ['Read', 'Bash'], [
                'mode' => 'ask', 'timeout_s' => 30.0, 'deny' => ['Bash(rm:*)'], 'allow' => ['Read'],
            ]],
            [$request['cwd'], $request['tools'], $request['permissions']],
        );
    }

    public function testTheConfigurationMaySayItInstead(): void
    {
        config(['agent-workers.workers.task.request' => ['cwd' => '/srv/work', 'tools' => ['Read']]]);
        $fake = Agent::fake('Done.');
        Agent::task('Tidy up.')->mode('accept_edits')->run();
        [$request] = $fake->requests();
        self::assertSame(['/srv/work', ['Read'], ['mode' => 'accept_edits']], [
            $request->get('cwd'), $request->get('tools'), $request->get('permissions'),
        ]);
    }

    public function testALaterRunBringsTheDecision(): void
    {
        $fake = Agent::fake('Done.');
        Agent::task('Go on.', '/')->resume(self::UUID)->decide('toolu_1', Decision::deny('No.'))->run();
        [$request] = $fake->requests();
        self::assertSame(['resume' => self::UUID], $request->get('session'));
        self::assertSame('defer', $request->get('permissions')['mode']);
        self::assertSame(
            ['tool_use_id' => 'toolu_1', 'behavior' => 'deny', 'message' => 'No.'],
            $request->get('permissions')['decision'],
        );
    }

    public function testAHandlerAnswersTheQuestionsOfATask(): void
    {
        $fake = Agent::fake(Script::text('Done.')->asking('Bash', ['command' => 'ls'])->asking('Write'));
        $isBash = static fn (PermissionRequest $question): bool => $question->name === 'Bash';
        Agent::task('Tidy up.', '/')->onPermission($isBash)->run();
        $fake->assertAllowed('Bash');
        $fake->assertDenied('Write');
        self::assertSame('ask', $fake->requests()[0]->get('permissions')['mode']);
    }

    public function testTheVisitorAnswersByAnotherRequest(): void
    {
        $this->asVisitor('Ada');
        $fake = $this->streamed(['Bash'], [['permission_1', self::ALLOW, 204]]);
        $fake->assertAllowed('Bash');
        $fake = $this->streamed(['Bash'], [['permission_1', ['behavior' => 'deny', 'message' => 'Not now.'], 204]]);
        $fake->assertDenied('Bash', 'Not now.');
    }

    public function testThreeOpenQuestionsAreAnsweredInAnyOrder(): void
    {
        $this->asVisitor('Ada');
        $fake = $this->streamed(['One', 'Two', 'Three'], [
            ['permission_3', self::ALLOW, 204],
            ['permission_1', ['behavior' => 'deny', 'message' => 'Not one.'], 204],
            ['permission_2', self::ALLOW, 204],
        ]);
        $fake->assertDenied('One', 'Not one.');
        $fake->assertAllowed('Two');
        $fake->assertAllowed('Three');
        self::assertCount(3, $fake->controls());
    }

    public function testWhoDoesNotAnswerHasDenied(): void
    {
        $this->asVisitor('Ada');
        $fake = $this->streamed(['Bash'], []);
        $fake->assertDenied('Bash');
        self::assertSame([], $fake->controls());
    }

    public function testTheAnswerToAnotherQuestionAllowsNothing(): void
    {
        $this->asVisitor('Ada');
        $fake = $this->streamed(['Bash'], [['permission_2', self::ALLOW, 404], ['Permission_1', self::ALLOW, 404]]);
        $fake->assertDenied('Bash');
        self::assertSame([], $fake->controls());
    }

    public function testTheAnswerToTheQuestionOfAnotherRunAllowsNothing(): void
    {
        $this->asVisitor('Ada');
        $fake = $this->streamed(['Bash'], [['permission_1', self::ALLOW, 404]], run: 'another-run');
        $fake->assertDenied('Bash');
    }

    public function testTheQuestionsOfSomebodyElseDoNotExist(): void
    {
        $this->asVisitor('Ada');
        $fake = $this->streamed(['Bash'], [['permission_1', self::ALLOW, 404]], answersAs: 'Eve');
        $fake->assertDenied('Bash');
        self::assertSame([], $fake->controls());
    }

    public function testWhoHasNeitherASessionNorAnAccountHasNoQuestions(): void
    {
        $this->app->make(Router::class)->middleware([])->group(static fn () => Agent::permissionRoutes('bare'));
        $this->postJson('/bare/r/permissions/p', self::ALLOW)->assertNotFound();
    }

    public function testTheFirstAnswerHolds(): void
    {
        $this->asVisitor('Ada');
        $fake = $this->streamed(['Bash'], [
            ['permission_1', ['behavior' => 'deny'], 204],
            ['permission_1', self::ALLOW, 410],
        ]);
        $fake->assertDenied('Bash');
    }

    public function testAQuestionThatHasExpiredIsGone(): void
    {
        $this->asVisitor('Ada');
        $answers = [['permission_1', self::ALLOW, 410]];
        $fake = $this->streamed(['Bash'], $answers, ['expires_at' => '2026-01-01T00:00:00.000Z']);
        self::assertSame([], $fake->controls());
    }

    public function testTheQuestionsOfARunThatHasEndedAreGone(): void
    {
        $this->asVisitor('Ada');
        $fake = $this->streamed(['Bash'], []);
        $this->answer($fake->requests()[0]->get('run'), 'permission_1', self::ALLOW)->assertStatus(410)
            ->assertJsonPath('message', 'This question is not open any more.');
    }

    /**
     * @dataProvider malformed
     *
     * @param array<string, mixed> $body
     */
    public function testAMalformedAnswerIsRefusedAndAllowsNothing(array $body, string $field): void
    {
        $this->asVisitor('Ada');
        $fake = $this->streamed(['Bash'], [['permission_1', $body, 422]]);
        $fake->assertDenied('Bash');
        $this->answer('r', 'p', $body)->assertStatus(422)->assertJsonStructure(['message', 'errors' => [$field]]);
    }

    /** @return iterable<string, array{array<string, mixed>, string}> */
    public static function malformed(): iterable
    {
        yield 'nothing' => [[], 'behavior'];
        yield 'another word' => [['behavior' => 'Allow'], 'behavior'];
        yield 'true' => [['behavior' => true], 'behavior'];
        yield 'a list' => [['behavior' => ['allow']], 'behavior'];
        yield 'another input' => [self::ALLOW + ['updated_input' => ['command' => 'rm -rf /']], 'updated_input'];
        yield 'a long message' => [['behavior' => 'deny', 'message' => str_repeat('x', 2001)], 'message'];
    }

    public function testAQuestionThatCannotBeShownWholeIsNotAsked(): void
    {
        $this->asVisitor('Ada');
        $fake = $this->streamed(['Bash'], [], ['truncated_bytes' => 9]);
        self::assertSame(['deny'], array_column($fake->controls(), 'behavior'));
        $this->answer($fake->requests()[0]->get('run'), 'permission_1', self::ALLOW)->assertNotFound();
    }

    public function testAHandlerMaySpareTheVisitorAQuestion(): void
    {
        $this->asVisitor('Ada');
        $fake = Agent::fake(Script::text('Done.')->asking('Read')->asking('Bash'));
        $this->route(static fn (ChatRequest $request) => Agent::task($request, '/')
            ->onPermission(static fn (PermissionRequest $q): ?bool => $q->name === 'Read' ? true : null)
            ->askVisitor(5));
        $this->start();
        $fake->assertAllowed('Read');
        $fake->assertDenied('Bash');
        self::assertEquals(['mode' => 'ask', 'timeout_s' => 5], $fake->requests()[0]->get('permissions'));
    }

    public function testWithoutAVisitorNobodyCanBeAsked(): void
    {
        Agent::fake('Done.');
        $this->expectException(LogicException::class);
        Agent::task('Tidy up.', '/')->askVisitor()->run();
    }

    public function testTheRealWorkerWaitsForTheVisitor(): void
    {
        config([
            'agent-workers.binaries.agent-task' => $this->binary('agent-task'),
            'agent-workers.simulate' => $this->scenario(['Bash', ['command' => 'touch made', 'description' => 'd']]),
            'agent-workers.env' => ['HOME' => $this->directory(), 'ANTHROPIC_API_KEY' => null],
            'agent-workers.state_dir' => $this->directory() . '/state',
        ]);
        mkdir($work = $this->directory() . '/work');
        $this->asVisitor('Ada');
        $statuses = [];
        $answer = function (PermissionRequest $question) use (&$statuses): ?bool {
            $statuses[] = $this->answer($question->run, $question->permissionId, self::ALLOW)->getStatusCode();

            return null;
        };
        $this->route(static fn (ChatRequest $request) => Agent::task($request, $work)
            ->tools(['Bash'])->onPermission($answer)->askVisitor());
        $events = $this->start();
        $story = (string) json_encode($events);
        self::assertSame([404, 204], $statuses, $story); // not before the question was asked, and then once
        self::assertFileExists("$work/made");
        self::assertSame('done', end($events)['type']);
    }

    /**
     * Streams a task whose agent asks for these tools, and answers as soon as all of its questions are open.
     *
     * @param list<string> $tools
     * @param list<array{string, array<string, mixed>, int}> $answers question, body, status that is expected
     * @param array<string, mixed> $fields of the question, if it is only one
     */
    private function streamed(
        array $tools,
        array $answers,
        array $fields = [],
        ?string $run = null,
        ?string $answersAs = null,
    ): FakeRunner {
        $fake = Agent::fake($fields === [] ? self::asking($tools) : self::askingOnce($fields));
        $open = $statuses = [];
        $answer = function (PermissionRequest $q) use ($tools, $answers, $run, $answersAs, &$open, &$statuses): ?bool {
            $wasOpen = count($open);
            $open[$q->permissionId] = true;
            if ($wasOpen < count($tools) && count($open) === count($tools)) {
                $answersAs === null || $this->asVisitor($answersAs);
                foreach ($answers as [$question, $body]) {
                    $statuses[] = $this->answer($run ?? $q->run, $question, $body)->getStatusCode();
                }
            }

            return null;
        };
        // Asked after the visitor: the question is open by then.
        $this->route(static fn (ChatRequest $r) => Agent::task($r, '/')->askVisitor()->onPermission($answer));
        $this->start();
        self::assertSame(array_column($answers, 2), $statuses); // not within: what a handler throws is a denial

        return $fake;
    }

    /** @param list<string> $tools */
    private static function asking(array $tools): Script
    {
        return array_reduce(
            $tools,
            static fn (Script $script, string $tool): Script => $script->asking($tool),
            Script::text('Done.'),
        );
    }

    /** @param array<string, mixed> $fields */
    private static function askingOnce(array $fields): Script
    {
        $question = ['type' => 'permission_request', 'permission_id' => 'permission_1', 'name' => 'Bash'];

        return Script::events($fields + $question, ['type' => 'done', 'text' => ''])->slow(ticks: 3);
    }

    private function route(\Closure $task): void
    {
        $this->app->make(Router::class)->post('/task', $task)->middleware(StartSession::class);
    }

    /** @return list<array<string, mixed>> */
    private function start(): array
    {
        $response = $this->postJson('/task', ['prompt' => 'Tidy up.'], ['Accept' => 'text/event-stream']);

        return $this->eventsOf($response->assertOk());
    }

    /** @param array<string, mixed> $body */
    private function answer(string $run, string $permission, array $body): TestResponse
    {
        return $this->postJson("/task/$run/permissions/$permission", $body);
    }
}
