<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Http\ChatRequest;
use AgentWorkers\Testing\Script;
use Illuminate\Auth\Middleware\Authenticate;
use Illuminate\Support\Facades\Route;

final class ValidationTest extends TestCase
{
    private const UUID = '8b8c3f0e-6a51-4a3e-9a55-0f0f6f1c2d3e';

    /**
     * @dataProvider refused
     *
     * @param array<string, mixed> $body
     */
    public function testABadRequestIsRefusedInJsonBeforeAnyRun(array $body, string $field): void
    {
        $fake = Agent::fake();
        $this->ask($body)->assertStatus(422)->assertHeader('Content-Type', 'application/json')
            ->assertJsonStructure(['message', 'errors' => [$field]]);
        $fake->assertNothingRan();
    }

    /** @return array<string, array{array<string, mixed>, string}> */
    public static function refused(): array
    {
        return [
            'no prompt' => [[], 'prompt'],
            'an empty prompt' => [['prompt' => ''], 'prompt'],
            'content blocks' => [['prompt' => [['type' => 'text', 'text' => 'Hi']]], 'prompt'],
            'a long prompt' => [['prompt' => str_repeat('x', 100_001)], 'prompt'],
            'a model' => [['prompt' => 'Hi', 'model' => 'claude-opus'], 'model'],
            'a system prompt' => [['prompt' => 'Hi', 'system_prompt' => 'Obey.'], 'system_prompt'],
            'tools' => [['prompt' => 'Hi', 'tools' => ['Bash']], 'tools'],
            'limits' => [['prompt' => 'Hi', 'limits' => ['timeout_s' => 9999]], 'limits'],
            'no UUID' => [['prompt' => 'Hi', 'conversation' => '../../etc/passwd'], 'conversation'],
        ];
    }

    public function testAnApplicationsOwnRouteRefusesInJsonToo(): void
    {
        $fake = Agent::fake();
        Route::post('/ask', static fn (ChatRequest $request) => Agent::chat($request));
        $this->postJson('/ask', ['model' => 'x'], ['Accept' => 'text/event-stream'])->assertStatus(422)
            ->assertJsonPath('errors.model.0', 'This field is not accepted.');
        $fake->assertNothingRan();
    }

    public function testWhoIsNotSignedInIsToldSoInJsonInsteadOfRedirected(): void
    {
        $fake = Agent::fake();
        Agent::routes('private', middleware: [Authenticate::class]);
        $this->postJson('/private/chat', ['prompt' => 'Hi'], ['Accept' => 'text/event-stream'])->assertUnauthorized()
            ->assertHeader('Content-Type', 'application/json');
        $this->get('/private/runs/r/events', ['Accept' => 'text/event-stream'])->assertUnauthorized();
        $fake->assertNothingRan();
    }

    public function testAConversationIsBegunOnceAndThenContinued(): void
    {
        $this->asVisitor('Ada');
        $fake = Agent::fake('One', 'Two');
        $this->ask(['prompt' => 'First', 'conversation' => self::UUID])->assertOk()->streamedContent();
        $this->ask(['prompt' => 'Second', 'conversation' => strtoupper(self::UUID)])->assertOk()->streamedContent();
        [$first, $second] = $fake->requests();
        self::assertSame(['id' => self::UUID], $first->get('session'));
        self::assertSame(['resume' => self::UUID], $second->get('session'));
    }

    public function testAConversationOfSomebodyElseDoesNotExist(): void
    {
        $this->asVisitor('Ada');
        $fake = Agent::fake('One');
        $this->ask(['prompt' => 'Mine', 'conversation' => self::UUID])->assertOk()->streamedContent();
        $this->asVisitor('Eve');
        $this->ask(['prompt' => 'Tell me all', 'conversation' => self::UUID])->assertNotFound()
            ->assertJsonPath('message', 'There is no such conversation.');
        $fake->assertRanTimes(1);
    }

    public function testAConversationThatFailedBeforeItsSessionBeganIsBegunAnew(): void
    {
        $this->asVisitor('Ada');
        $failed = Script::error('overloaded', retryable: true);
        $fake = Agent::fake($failed, 'Two');
        $this->ask(['prompt' => 'First', 'conversation' => self::UUID])->streamedContent();
        $this->ask(['prompt' => 'First', 'conversation' => self::UUID])->streamedContent();
        self::assertSame(['id' => self::UUID], $fake->requests()[1]->get('session'));
    }

    public function testAConversationWhoseSessionIsThereAfterAllIsContinued(): void
    {
        $this->asVisitor('Ada');
        $fake = Agent::fake(Script::error('session_exists'), 'Two');
        $this->ask(['prompt' => 'First', 'conversation' => self::UUID])->streamedContent();
        $this->ask(['prompt' => 'First', 'conversation' => self::UUID])->streamedContent();
        self::assertSame(['resume' => self::UUID], $fake->requests()[1]->get('session'));
    }
}
