<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Event\Question;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Http\ChatRequest;
use AgentWorkers\Testing\FakeRunner;
use AgentWorkers\Testing\Script;
use Illuminate\Auth\GenericUser;
use Illuminate\Routing\Router;
use Illuminate\Session\Middleware\StartSession;
use Illuminate\Testing\TestResponse;

/** The visitor answers what the agent asks, in another request. */
final class QuestionTest extends TestCase
{
    private const RED = ['answers' => ['Which *.colour?' => 'Red']];
    private string $run = '';
    private static int $runs = 0;

    public function testTheVisitorAnswersOnceAndIsNamed(): void
    {
        $this->actingAs(new GenericUser(['id' => 7]));
        $fake = $this->streamed([['question_1', self::RED, 204], ['question_1', self::RED, 410]]);
        $fake->assertAnswered('Which *.colour?', 'Red');
        self::assertSame(['7'], array_column($fake->controls(), 'actor'));
    }

    public function testATextOfOnesOwnIsAnAnswerAndSeveralAreWhereTheyMayBe(): void
    {
        $this->asVisitor('Ada');
        $own = ['answers' => ['Which *.colour?' => 'A green one']];
        $this->streamed([['question_1', $own, 204]])->assertAnswered('Which *.colour?', 'A green one');
        $both = ['answers' => ['Which *.colour?' => ['Red', 'Blue']]];
        $fake = $this->streamed([['question_1', $both, 204]], multi: true);
        $fake->assertAnswered('Which *.colour?', ['Red', 'Blue']);
        self::assertArrayNotHasKey('actor', $fake->controls()[0], 'A guest has no name.');
    }

    public function testWhatDoesNotAnswerIsRefusedAndLeavesTheQuestionOpen(): void
    {
        $this->asVisitor('Ada');
        $wrong = [
            [], ['answers' => []], ['answers' => 'Red'], ['answers' => ['Another?' => 'Red']],
            ['answers' => ['Which *.colour?' => ['Red']]], ['answers' => ['Which *.colour?' => '']],
            ['answers' => ['Which *.colour?' => 7]], self::RED + ['actor' => 'Eve'],
            ['answers' => ['Which *.colour?' => str_repeat('x', 10_001)]],
            ['answers' => self::RED['answers'] + ['Another?' => 'x']], ['answers' => ["\xff" => 'x']],
        ];
        $refused = array_map(static fn (array $body): array => ['question_1', $body, 422], $wrong);
        $fake = $this->streamed([...$refused, ['question_1', self::RED, 204]]);
        $fake->assertAnswered('Which *.colour?', 'Red');
        self::assertCount(1, $fake->controls());
    }

    public function testNobodyElseAnswersAndNothingElseIsAnswered(): void
    {
        $this->asVisitor('Ada');
        $fake = $this->streamed([['question_1', self::RED, 404]], answersAs: 'Eve');
        self::assertSame([], $fake->controls());
        $this->asVisitor('Ada');
        $fake = $this->streamed([['question_2', self::RED, 404]]);
        self::assertSame([], $fake->controls());
        $this->answer('question_1', self::RED)->assertStatus(410);
    }

    public function testAClosureMaySpareTheVisitorTheQuestion(): void
    {
        $fake = Agent::fake(self::asking(false));
        $this->asVisitor('Ada');
        Agent::chat('Hello')->onQuestion(static fn (): array => ['Which *.colour?' => 'Blue'])->run();
        $fake->assertAnswered('Which *.colour?', 'Blue');
        self::assertSame(['AskUserQuestion'], $fake->requests()[0]->get('tools'));
    }

    public function testWhoDecidesOnACallIsNamedToo(): void
    {
        $this->actingAs(new GenericUser(['id' => 7]));
        Agent::tool('t', 'T.', ['type' => 'object'], static fn (): string => 'x');
        $fake = Agent::fake(Script::text('Done.')->asking('Bash')->callingTool('t'));
        $this->app->make(Router::class)->post('/task', static fn () => Agent::task('Hello', '/')->appTools('t')
            ->onPermission(static fn (): bool => true));
        $this->eventsOf($this->post('/task'));
        $actors = array_column($fake->controls(), 'actor', 'type');
        self::assertSame(['permission' => '7', 'app_tool_result' => '7'], $actors);
    }

    /** @param list<array{string, array<string, mixed>, int}> $answers question, body, status that is expected */
    private function streamed(array $answers, bool $multi = false, ?string $answersAs = null): FakeRunner
    {
        $this->run = 'run-' . ++self::$runs;
        $fake = Agent::fake(self::asking($multi));
        $statuses = [];
        $isAsked = false;
        $answer = function () use ($answers, $answersAs, &$statuses, &$isAsked): ?array {
            if (!$isAsked) { // the question is open for the visitor only once the closures were asked
                $isAsked = true;

                return null;
            }
            $answersAs === null || $this->asVisitor($answersAs);
            foreach (array_splice($answers, count($statuses)) as [$question, $body]) {
                $statuses[] = $this->answer($question, $body)->getStatusCode();
            }

            return null;
        };
        $this->app->make(Router::class)->post('/ask', fn (ChatRequest $request) => Agent::chat($request)
            ->configure(fn ($request) => $request->run($this->run))
            ->onQuestion($answer))->middleware(StartSession::class);
        $this->eventsOf($this->postJson('/ask', ['prompt' => 'Hi'], ['Accept' => 'text/event-stream'])->assertOk());
        self::assertSame(array_column($answers, 2), $statuses);

        return $fake;
    }

    private static function asking(bool $multi): Script
    {
        return Script::text('Done.')->askingUser(['Which *.colour?' => ['Red', 'Blue']], $multi);
    }

    /** @param array<string, mixed> $body */
    private function answer(string $question, array $body): TestResponse
    {
        $address = '/agent/runs/' . $this->run . "/answers/$question";
        $isText = json_encode($body) !== false; // a form may hold any bytes

        return $isText ? $this->postJson($address, $body) : $this->post($address, $body, ['Accept' => 'text/html']);
    }
}
