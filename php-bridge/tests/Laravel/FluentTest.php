<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Batch\BatchOptions;
use AgentWorkers\Batch\BatchResult;
use AgentWorkers\Laravel\Agents;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\PendingBatch;
use AgentWorkers\Laravel\PendingRun;

/** when(), unless(), tap() and macros, as elsewhere in Laravel. */
final class FluentTest extends TestCase
{
    protected function tearDown(): void
    {
        PendingRun::flushMacros();
        PendingBatch::flushMacros();
        Agents::flushMacros();
        parent::tearDown();
    }

    public function testARunIsChangedOnlyWhenAConditionHolds(): void
    {
        $fake = Agent::fake('One', 'Two');
        foreach ([true, false] as $isLarge) {
            Agent::chat('Hello')
                ->when($isLarge, static fn (PendingRun $run) => $run->model('claude-large'))
                ->unless($isLarge, static fn (PendingRun $run) => $run->model('claude-small'))
                ->tap(static fn (PendingRun $run) => $run->goal('Be kind.'))
                ->run();
        }
        self::assertSame(['claude-large', 'claude-small'], array_map(
            static fn ($request): mixed => $request->get('model'),
            $fake->requests(),
        ));
        self::assertSame('Be kind.', $fake->requests()[0]->get('goal'));
    }

    public function testAMacroIsAMethodOfEachRun(): void
    {
        PendingRun::macro('about', function (string $partner): PendingRun {
            /** @var PendingRun $this */
            return $this->subject('partner', $partner)->systemPrompt('Answer in one sentence.');
        });
        $fake = Agent::fake('Fine.');
        self::assertSame('Fine.', Agent::chat('How is it?')->about('p-7')->text());
        self::assertSame(['type' => 'partner', 'id' => 'p-7'], $fake->requests()[0]->get('subject'));
    }

    public function testABatchIsChangedItselfAndNoCopyOfIt(): void
    {
        $fake = Agent::fake('One', 'Two');
        $file = $this->directory() . '/night';
        $texts = Agent::batch([Agent::chat('a'), Agent::chat('b')])
            ->tap(static fn (PendingBatch $batch) => $batch->checkpoint($file))
            ->when(true, static fn (PendingBatch $batch) => $batch->economy(wait: true))
            ->unless(true, static fn (PendingBatch $batch) => $batch->economy(wait: false))
            ->map(static fn (BatchResult $result): ?string => $result->text);
        self::assertSame(['One', 'Two'], $texts->all());
        $fake->assertBatchRan(static fn (BatchOptions $options): bool
            => $options->economy && $options->wait && $options->checkpoint === $file);
    }

    public function testAMacroIsAMethodOfEachBatch(): void
    {
        PendingBatch::macro('texts', function (): array {
            /** @var PendingBatch<array-key, BatchResult> $this */
            return $this->map(static fn (BatchResult $result): ?string => $result->text)->all();
        });
        Agent::fake('One', 'Two');
        self::assertSame(['One', 'Two'], Agent::batch([Agent::chat('a'), Agent::chat('b')])->texts());
    }

    public function testAMacroAndAConditionOfTheFacade(): void
    {
        Agent::macro('summarise', function (string $text): string {
            /** @var Agents $this */
            return $this->chat("Summarise: $text")->text();
        });
        $fake = Agent::fake('Short.');
        self::assertSame('Short.', Agent::summarise('a long story'));
        $fake->assertRan('Summarise: a long story');
        $seen = [];
        $see = static function (Agents $agents) use (&$seen): void {
            $seen[] = $agents;
        };
        Agent::when(true, $see)->unless(true, $see)->tap($see);
        self::assertCount(2, $seen);
    }
}
