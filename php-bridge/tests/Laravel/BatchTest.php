<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Batch\BatchOptions;
use AgentWorkers\Batch\BatchResult;
use AgentWorkers\Exception\BatchFailedException;
use AgentWorkers\Exception\BatchStoppedException;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\PendingRun;
use AgentWorkers\Request;
use AgentWorkers\Testing\Script;
use AgentWorkers\Tests\Scenarios;
use Illuminate\Support\LazyCollection;

final class BatchTest extends TestCase
{
    use Scenarios;

    public function testALazyCollectionGoesInAndOneComesOut(): void
    {
        $made = 0;
        $requests = LazyCollection::times(INF, static function (int $id) use (&$made): PendingRun {
            $made++;

            return Agent::skill('partner-health', ['id' => $id])->subject('partner', $id);
        })->keyBy(static fn (PendingRun $run): int => $run->request()->get('input')['id'] * 10);
        Agent::fake()->skill('partner-health', static fn (Request $request): array => $request->get('input'));
        $outputs = Agent::batch($requests)->map(static fn (BatchResult $result): mixed => $result->output)->take(3);
        self::assertSame([10 => ['id' => 1], 20 => ['id' => 2], 30 => ['id' => 3]], $outputs->all());
        self::assertSame(3, $made);
        Agent::assertSkillRanTimes('partner-health', 3);
    }

    public function testAFailureIsAResultAndALimitAnException(): void
    {
        Agent::fake(['One', Script::error('auth'), 'Three', Script::error('auth'), 'Five']);
        $statuses = [];
        try {
            foreach (Agent::batch(array_map(Agent::chat(...), range('a', 'e')), maxErrors: 2) as $key => $result) {
                $statuses[$key] = $result->text ?? $result->error->code;
            }
            self::fail('Nobody was told.');
        } catch (BatchStoppedException $stopped) {
            self::assertSame(['max_errors', 2, 2], [
                $stopped->reason, $stopped->totals->done, $stopped->totals->failed,
            ]);
        }
        self::assertSame(['One', 'auth', 'Three', 'auth'], $statuses);
        Agent::assertRanTimes(4, worker: 'chat');
    }

    public function testTheRealOneRunsEachRequestWithTheProgramAndTheSettingsOfItsWorker(): void
    {
        config([
            'agent-workers.binaries.agent-chat' => dirname(__DIR__) . '/fixtures/quick.sh',
            'agent-workers.binaries.agent-batch' => $this->binary('agent-batch'),
            'agent-workers.workers.odd' => ['binary' => 'odd'],
            'agent-workers.binaries.odd' => '/nonexistent',
            'agent-workers.env' => ['HOME' => $this->directory()],
        ]);
        $requests = ['a' => Agent::chat('hello'), 'b' => Agent::worker('odd', 'hello'), 'c' => Request::prompt('fail')];
        $results = Agent::batch($requests, concurrency: 2)->all();
        ksort($results);
        self::assertSame(
            ['a' => 'done', 'b' => 'cli_missing', 'c' => 'auth'],
            array_map(static fn (BatchResult $it): string => $it->error->code ?? $it->status, $results),
        );
        self::assertSame(['agent-chat', 'odd'], [$results['a']->worker, $results['b']->worker]);
    }

    public function testAProgramThatAgentBatchHasOfItsOwnIsLeftToIt(): void
    {
        $bin = $this->programs(array_fill_keys(['agent-batch', 'agent-chat'], '%s "$@"') + [
            'agent-task' => '%s "$@" # a program of its own',
        ]);
        config([
            'agent-workers.workers.other' => ['binary' => 'other'],
            'agent-workers.binaries.other' => "$bin/agent-chat",
            'agent-workers.simulate' => true,
        ]);
        $arguments = $this->argumentsOfABatch();
        self::assertContains('--simulate', $arguments);
        $commands = implode("\n", preg_grep('/^--command=/', $arguments));
        self::assertStringContainsString("--command=agent-task='$bin/agent-task' '--simulate'", $commands);
        self::assertStringContainsString('--command=other=', $commands);
        self::assertStringNotContainsString('--command=agent-chat=', $commands);
    }

    public function testAWrapperThatDiffersFromThatOfAgentBatchByItsNameOnlyIsLeftToItToo(): void
    {
        $this->programs([
            'agent-batch' => 'A=b exec %s /opt/x/agent-batch "$@"',
            'agent-chat' => 'A=b exec %s /opt/x/agent-chat "$@"',
            'agent-skill' => 'A=b exec %s /opt/x/agent-skill --policy=/etc/agent-skill/policy.toml "$@"',
            'agent-task' => 'A=b exec %s /opt/x/agent-chat "$@"',
        ]);
        $names = preg_replace('/=.*/', '', preg_filter('/^--command=/', '', $this->argumentsOfABatch()));
        self::assertEqualsCanonicalizing(['agent-skill', 'agent-task', 'agent-tool'], $names);
    }

    public function testALimitThatTheLastRequestReachesIsNoStop(): void
    {
        Agent::fake(['One', Script::error('auth')]);
        self::assertCount(2, Agent::batch([Agent::chat('a'), Agent::chat('b')], maxErrors: 1)->all());
    }

    public function testACollectionOfWhichOnlyAFewAreTakenLeavesNothingRunning(): void
    {
        $log = $this->directory() . '/ran';
        config([
            'agent-workers.binaries.agent-chat' => dirname(__DIR__) . '/fixtures/quick.sh',
            'agent-workers.binaries.agent-batch' => $this->binary('agent-batch'),
            'agent-workers.env' => ['HOME' => $this->directory(), 'QUICK_LOG' => $log],
        ]);
        $results = Agent::batch(array_map(Agent::chat(...), ['hello', 'wait', 'wait']), concurrency: 2)->take(1);
        self::assertSame([0], $results->keys()->all());
        $isOurs = static fn (string $file): bool => str_contains((string) @file_get_contents($file), "QUICK_LOG=$log");
        self::assertSame([], array_filter(glob('/proc/[0-9]*/environ') ?: [], $isOurs));
    }

    public function testInTheEconomyLaneItTellsWhatIsPendingAndALaterStartHasIt(): void
    {
        $skills = array_map(
            static fn (int $id): PendingRun => Agent::skill('partner-health', ['id' => $id])->engine('messages'),
            ['a' => 1, 'b' => 2],
        );
        $answers = [['score' => 1], Script::pending(), ['score' => 1], ['score' => 2]];
        Agent::fake('Hi!')->skill('partner-health', $answers);
        $batch = Agent::batch([...$skills, 'c' => Agent::chat('Hi')])->economy()->checkpoint('/tmp/night');
        self::assertNull($batch->pending());
        $lanes = $batch->map(static fn (BatchResult $result): ?string => $result->lane)->all();
        self::assertSame(['a' => 'economy', 'c' => null], $lanes);
        self::assertSame([1, 2, 1], [$batch->pending(), $batch->totals()->done, $batch->totals()->out]);
        $later = Agent::batch($skills, checkpoint: '/tmp/night')->economy();
        self::assertSame(['a', 'b'], array_keys($later->all()));
        self::assertSame(0, $later->pending());
        Agent::assertSkillRanTimes('partner-health', 4);
        Agent::assertBatchRan(static fn (BatchOptions $options): bool => $options->economy && !$options->wait
            && $options->checkpoint === '/tmp/night');
    }

    public function testTheRealOneWaitsForTheEconomyLane(): void
    {
        config([
            'agent-workers.binaries.agent-chat' => $this->binary('agent-chat'),
            'agent-workers.binaries.agent-batch' => $this->binary('agent-batch'),
            'agent-workers.env' => ['HOME' => $this->directory(), 'ANTHROPIC_API_KEY' => null],
            'agent-workers.state_dir' => $this->directory() . '/state',
            'agent-workers.simulate' => 'hello',
        ]);
        $chat = static fn (string $prompt): PendingRun => Agent::chat($prompt)->engine('messages')->maxTokens(50);
        $requests = ['a' => $chat('One'), 'b' => $chat('Two'), 'c' => Agent::chat('Three')];
        $batch = Agent::batch($requests)->economy(wait: true)->checkpoint($this->directory() . '/night');
        $results = $batch->all();
        $isSent = static fn (BatchResult $result): bool => $result->lane === 'economy';
        self::assertEqualsCanonicalizing(['a', 'b'], array_keys(array_filter($results, $isSent)));
        self::assertStringEndsWith('Two', $results['b']->text);
        self::assertStringEndsWith('Three', $results['c']->text);
        self::assertSame([0, 3], [$batch->pending(), $batch->totals()->done]);
    }

    public function testTheEconomyLaneNeedsACheckpointWhichMayBeNamedAfterwards(): void
    {
        Agent::fake('One', 'Two');
        Agent::batch([Agent::chat('a')])->economy(wait: true)->checkpoint('/tmp/night')->all();
        $this->expectException(InvalidArgumentException::class);
        $this->expectExceptionMessage('->checkpoint($file)');
        Agent::batch([Agent::chat('a')])->economy()->all();
    }

    public function testABatchThatWaitsLeavesNothingPending(): void
    {
        Agent::fake(Script::pending());
        $this->expectException(LogicException::class);
        Agent::batch([Agent::chat('a')], checkpoint: '/tmp/night')->economy(wait: true)->all();
    }

    public function testABatchThatHasBegunCannotBeSetAnyMore(): void
    {
        Agent::fake('One');
        $batch = Agent::batch([Agent::chat('a')], checkpoint: '/tmp/night');
        $batch->all();
        $this->expectException(LogicException::class);
        $batch->economy();
    }

    public function testWhatWasMadeOfABatchIsNoBatch(): void
    {
        Agent::fake('One');
        $texts = Agent::batch([Agent::chat('a')])->map(static fn (BatchResult $result): ?string => $result->text);
        $this->expectException(LogicException::class);
        $texts->economy();
    }

    public function testItIsNotRunTwice(): void
    {
        Agent::fake('One', 'Two');
        $results = Agent::batch([Agent::chat('a')]);
        self::assertCount(1, $results->all());
        $this->expectException(LogicException::class);
        $results->all();
    }

    public function testWhatOnlyARunOfItsOwnHasIsRefused(): void
    {
        Agent::fake('One');
        $this->expectException(LogicException::class);
        Agent::batch([Agent::chat('a')->onEvent(static fn (): bool => true)])->all();
    }

    public function testARunnerOfOnesOwnMayRunNoBatches(): void
    {
        Agent::runBy(Agent::runner());
        $this->expectException(LogicException::class);
        Agent::batch([Agent::chat('a')]);
    }

    /**
     * Writes programs for the shell, and has them run. %s is one that notes its arguments and refuses.
     *
     * @param array<string, string> $programs by name
     *
     * @return string their directory
     */
    private function programs(array $programs): string
    {
        $bin = $this->directory() . '/bin';
        mkdir($bin);
        $notes = "printf '%s\\n' \"\$@\" > '{$this->directory()}/arguments'; exit 2";
        $texts = array_map(static fn (string $does): string => sprintf($does, "$bin/notes"), $programs);
        foreach (['notes' => $notes] + $texts as $name => $text) {
            file_put_contents("$bin/$name", "#!/bin/sh\n$text\n");
            chmod("$bin/$name", 0o755);
            config(["agent-workers.binaries.$name" => "$bin/$name"]);
        }

        return $bin;
    }

    /** @return list<string> */
    private function argumentsOfABatch(): array
    {
        try {
            Agent::batch([Request::prompt('Hi')])->all();
        } catch (BatchFailedException) {
        }

        return file($this->directory() . '/arguments', FILE_IGNORE_NEW_LINES);
    }
}
