<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Event\Done;
use AgentWorkers\Event\Event;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Exception\StrayRunException;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Queue\RunAgent;
use AgentWorkers\Request;
use AgentWorkers\Testing\Script;
use Illuminate\Support\Facades\Bus;

final class SkillTest extends TestCase
{
    private const INPUT = ['partner' => ['id' => 'p-1', 'name' => 'Acme'], 'notes' => []];

    public function testItsOutputIsTheArrayThatTheFakeGives(): void
    {
        Agent::fake()->skill('partner-health', ['score' => 0.4])->skill('delivery-quality', [['score' => 1], 'x']);
        $pending = Agent::skill('partner-health', self::INPUT)
            ->subject('partner', 417)->user('ada')->goal('Keep it.')->model('claude-haiku-5');
        self::assertSame(['score' => 0.4], $pending->output());
        self::assertSame(['score' => 1], Agent::skill('delivery-quality', self::INPUT)->output());
        Agent::assertSkillRan('partner-health', static fn (array $input, Request $request): bool
            => $input === self::INPUT && $request->get('model') === 'claude-haiku-5');
        Agent::assertSkillRanTimes('delivery-quality', 1);
        Agent::assertSkillNotRan('partner-health', static fn (array $input): bool => $input['partner']['id'] === 'p-2');
        Agent::assertRan(static fn (Request $request, ?string $worker): bool => $worker === 'skill');
    }

    public function testTheWholeResultSaysWhatItWasAboutAndWhetherToReviewIt(): void
    {
        Agent::fake()->skill('partner-health', Script::output(['score' => 0.4])->needsReview());
        $done = Agent::skill('partner-health', self::INPUT)->subject('partner', 417)->user('ada')->run();
        self::assertSame(['partner-health', true], [$done->skill, $done->needsReview]);
        self::assertSame([['type' => 'partner', 'id' => '417'], 'ada'], [$done->subject, $done->user]);
    }

    public function testItFailsAsEveryRunDoes(): void
    {
        Agent::fake()->skill('partner-health', Script::error('output_schema'));
        $this->expectException(RunFailedException::class);
        Agent::skill('partner-health', self::INPUT)->output();
    }

    public function testAnAnswerWithoutOutputIsNoOutput(): void
    {
        Agent::fake('Hello!');
        $this->expectException(LogicException::class);
        Agent::skill('partner-health', self::INPUT)->output();
    }

    public function testASkillWithoutAFakeIsNamed(): void
    {
        Agent::fake()->skill('partner-health', ['score' => 1]);
        $this->expectException(StrayRunException::class);
        $this->expectExceptionMessage('the skill co-sell-match');
        Agent::skill('co-sell-match', self::INPUT)->output();
    }

    public function testItsLimitsAreItsOwnUnlessTheConfigurationSetsSome(): void
    {
        Agent::fake()->skill('partner-health', static fn (): array => ['score' => 1]);
        self::assertSame([], Agent::skill('partner-health', self::INPUT)->request()->get('limits') ?? []);
        config(['agent-workers.workers.skill.limits.timeout_s' => 20]);
        self::assertSame(['timeout_s' => 20], Agent::skill('partner-health', self::INPUT)->request()->get('limits'));
    }

    public function testAConfigurationOfBeforeRunsItFromBesideTheOthers(): void
    {
        $config = config('agent-workers');
        unset($config['workers']['skill'], $config['binaries']['agent-skill'], $config['binaries']['agent-batch']);
        $config['binaries']['agent-chat'] = '/opt/x/agent-chat';
        config(['agent-workers' => $config]);
        self::assertSame('/opt/x/agent-skill', Agent::runner('skill')->binary());
        self::assertSame('/opt/x/agent-batch', Agent::batchRunner()->binary());
    }

    public function testItsWorkerFindsTheSkillsOfTheConfiguration(): void
    {
        config(['agent-workers.skills_path' => '/srv/skills:/srv/more']);
        self::assertSame('/srv/skills:/srv/more', Agent::env()['AGENT_WORKERS_SKILLS_PATH']);
    }

    public function testAnObserverGetsEachEventBeforeTheReaderDoes(): void
    {
        Agent::fake()->skill('partner-health', ['score' => 1]);
        $seen = [];
        $observe = static function (Event $event) use (&$seen): void {
            $event instanceof Done && $seen[] = $event->output;
        };
        foreach (Agent::skill('partner-health', self::INPUT)->onEvent($observe)->events() as $event) {
            self::assertSame($event instanceof Done ? [['score' => 1]] : [], $seen);
        }
    }

    public function testItCanBeQueued(): void
    {
        Bus::fake();
        Agent::skill('partner-health', self::INPUT)->subject('partner', 417)->dispatch();
        Bus::assertDispatched(static fn (RunAgent $job): bool => $job->worker === 'skill'
            && $job->request['skill'] === 'partner-health'
            && $job->request['input'] === self::INPUT
            && $job->request['subject'] === ['type' => 'partner', 'id' => '417']);
    }
}
