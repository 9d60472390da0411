<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel\Records;

use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Fleet\Told;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Records\AgentConversation;
use AgentWorkers\Laravel\Records\AgentMessage;
use AgentWorkers\Laravel\Records\AgentRun;
use AgentWorkers\Laravel\Records\AgentUsage;
use AgentWorkers\Request;
use AgentWorkers\Testing\Script;
use AgentWorkers\Tests\Laravel\Databases;
use AgentWorkers\Tests\Laravel\FleetTestCase;

/** What an operator does with anybody's run: it is stopped wherever it is held, and what is recorded of it is deleted. */
final class OperatedRunsTest extends FleetTestCase
{
    use Databases;

    public function testARunOfTheFleetIsStoppedWhoeversItIs(): void
    {
        $waiting = $this->submitted();
        $this->asVisitor('An operator');
        self::assertSame(Told::Ended, Agent::abort($waiting));
        self::assertSame(Told::Over, Agent::abort($waiting));
        self::assertSame(Told::Unknown, Agent::abort('no-such-run'));
    }

    public function testWhatNobodyFollowsIsCaughtUpWith(): void
    {
        self::assertSame(0, Agent::catchUp(), 'Nothing is recorded.');
        $this->record();
        $run = $this->begun();
        $this->writeRun($run, [self::START, self::DONE]);
        self::assertSame([1, 0], [Agent::catchUp(), Agent::catchUp()]);
        self::assertSame('done', AgentRun::query()->sole()->status);
    }

    public function testARunOfAProcessIsStoppedWhoeversItIs(): void
    {
        config(['agent-workers.workers.chat.fleet' => false]);
        $said = [];
        $fake = Agent::fake(Script::text('One two three')->callingTool('stop')->slow());
        Agent::tool('stop', 'Stops the run.', ['type' => 'object'], static function () use (&$said): string {
            $said[] = Agent::abort('named');

            return 'Asked to stop.';
        });
        $named = static fn (Request $request): Request => $request->run('named');
        $run = Agent::chat('Hello')->owner('ada')->appTools('stop')->configure($named);
        try {
            $run->run();
            self::fail('It was not stopped.');
        } catch (RunAbortedException) {
            $said[] = Agent::abort('named');
        }
        $fake->assertAborted();
        self::assertSame([Told::Sent, Told::Over], $said);
    }

    public function testARunThatHasEndedIsForgottenWithAllThatWasRecordedOfIt(): void
    {
        $this->record();
        config(['agent-workers.workers.chat.fleet' => false]);
        Agent::fake('One', 'Two');
        $first = Agent::chat('First')->run()->run;
        $second = Agent::chat('Second')->run()->run;
        AgentRun::query()->whereKey($second)->update(['status' => 'running']);
        self::assertSame([true, false, false], array_map(Agent::forgetRun(...), [$first, $first, $second]));
        self::assertSame([$second], AgentRun::query()->pluck('id')->all());
        foreach ([AgentMessage::class, AgentUsage::class] as $rows) {
            self::assertSame([$second], $rows::query()->distinct()->pluck('run_id')->all());
        }
        self::assertSame(1, AgentConversation::query()->count());
    }
}
