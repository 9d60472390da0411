<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Event\Event;
use AgentWorkers\Event\Start;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\PendingRun;
use AgentWorkers\Request;
use AgentWorkers\Testing\Script;
use PHPUnit\Framework\AssertionFailedError;

final class FakeTest extends TestCase
{
    public function testTheFacadeItselfTellsWhatRan(): void
    {
        Agent::fake(['One', 'Two']);
        Agent::assertNothingRan();
        Agent::chat('Hello')->text();
        $this->ask(['prompt' => 'Weather in Rome?'])->streamedContent();
        Agent::assertRan('Hello');
        Agent::assertRan('Weather*', 'chat');
        Agent::assertRan(static fn (Request $request): bool => $request->promptText() === 'Hello');
        Agent::assertNotRan(static fn (Request $request, ?string $worker): bool => $worker === 'task');
        Agent::assertRanTimes(2);
        $this->expectException(AssertionFailedError::class);
        Agent::assertRan('Goodbye');
    }

    public function testAnEngineIsAskedForByTheRunOrByTheConfigurationAndTheStartTellsIt(): void
    {
        config(['agent-workers.workers.chat' => ['engine' => 'messages', 'max_tokens' => 500]
            + config('agent-workers.workers.chat')]);
        Agent::fake(fn (): string => 'Hello!');
        $told = static fn (PendingRun $run): array => array_map(
            static fn (Event $event): ?string => $event instanceof Start ? $event->engine : $event->cliVersion,
            array_slice(iterator_to_array($run->events(), false), 0, 2),
        );
        self::assertSame(['messages', 'none'], $told(Agent::chat('a')));
        self::assertSame(['agent', '0'], $told(Agent::task('b')));
        self::assertSame(['agent', '0'], $told(Agent::task('c')->engine('agent')));
        self::assertSame(['messages', 'none'], $told(Agent::task('d')->engine('messages')->maxTokens(9)));
        $fields = static fn (string $engine, ?int $tokens): \Closure => static fn (Request $request): bool
            => [$request->get('engine'), $request->get('max_tokens')] === [$engine, $tokens];
        Agent::assertRanTimes(1, $fields('messages', 500));
        Agent::assertRanTimes(1, $fields('messages', 9));
        Agent::assertRanTimes(1, $fields('agent', null));
    }

    public function testTheMaxTokensOfTheConfigurationAreForTheEngineMessagesAndThoseOfARunForWhateverRunsIt(): void
    {
        config([
            'agent-workers.workers.chat.engine' => 'messages',
            'agent-workers.workers.chat.max_tokens' => 500,
            'agent-workers.workers.skill.request' => ['max_tokens' => 600],
        ]);
        $fake = Agent::fake(static fn (): string => 'Hello!')->skill('x', static fn (): array => ['score' => 1]);
        $runs = [
            [Agent::chat('a'), 500],
            [Agent::chat('b')->engine('agent'), null],
            [Agent::chat('c')->engine('agent')->engine('messages'), 500],
            [Agent::chat('d')->engine('agent')->maxTokens(7), 7],
            [Agent::chat('e')->maxTokens(7)->engine('agent'), 7],
            [Agent::chat('f')->configure(static fn (Request $it): Request => $it->with('engine', 'agent')), null],
            [Agent::skill('x', ['a' => 1]), 600],
            [Agent::skill('x', ['a' => 1])->engine('agent'), null],
        ];
        foreach ($runs as [$run, $tokens]) {
            self::assertSame($tokens, $run->request()->get('max_tokens'));
            $run->run();
        }
        Agent::batch(array_column($runs, 0))->all();
        Agent::chat('g')->dispatch();
        Agent::chat('h')->engine('agent')->dispatch();
        $tokens = array_column($runs, 1);
        $asked = array_map(static fn (Request $it): ?int => $it->get('max_tokens'), $fake->requests());
        self::assertSame([...$tokens, ...$tokens, 500, null], $asked);
    }

    public function testEachWorkerHasItsOwnAnswers(): void
    {
        Agent::fake([
            'chat' => ['One', 'Two'],
            'task' => static fn (Request $request): string => $request->get('cwd'),
        ]);
        self::assertSame('One', Agent::chat('a')->text());
        self::assertSame('/srv/work', Agent::task('b', '/srv/work')->text());
        self::assertSame('Two', Agent::chat('c')->text());
        Agent::assertRanTimes(1, worker: 'task');
    }

    public function testAWorkerThatIsNotConfiguredIsAnError(): void
    {
        $this->expectException(InvalidArgumentException::class);
        $this->expectExceptionMessage('There is no worker cht in config/agent-workers.php.');
        Agent::fake(['cht' => 'Hi']);
    }

    public function testWithoutAFakeThereIsNothingToAssert(): void
    {
        $this->expectException(LogicException::class);
        Agent::assertRan('Hello');
    }

    public function testAFakeIsAFakeAfterTheJobBeforeToo(): void
    {
        Agent::fake('One', 'Two');
        Agent::chat('Hello')->text();
        $this->app->forgetScopedInstances(); // as a queue's worker does after each job
        Agent::clearResolvedInstances();
        self::assertSame('Two', Agent::chat('Hello')->text());
    }

    public function testAnOutputIsThereWhereASchemaIs(): void
    {
        $city = ['type' => 'object', 'properties' => ['city' => ['type' => 'string']], 'required' => ['city']];
        Agent::fake(['Hi', ['city' => 'Graz'], Script::error('overloaded')]);
        $asking = static fn () => Agent::chat('Where?')->configure(static fn (Request $r) => $r->outputSchema($city));
        self::assertSame(['city' => 'text'], $asking()->run()->output);
        self::assertSame(['city' => 'Graz'], $asking()->run()->output);
    }

    public function testAToolWhoseResultJsonCannotSayHasFailed(): void
    {
        Agent::tool('find', 'Finds.', ['type' => 'object'], static fn (): object => new class (1) {
            public function __construct(private int $hidden)
            {
            }
        });
        $fake = Agent::fake(Script::text('Hm.')->callingTool('find'));
        Agent::chat('Find.')->appTools('find')->text();
        $fake->assertToolFailed('find', 'The tool gave a result that cannot be sent.');
    }
}
