<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel\Records;

use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Fleet\FleetAccess;
use AgentWorkers\Laravel\Records\AgentConversation;
use AgentWorkers\Laravel\Records\AgentMessage;
use AgentWorkers\Laravel\Records\AgentRun;
use AgentWorkers\Tests\Laravel\Databases;
use AgentWorkers\Tests\Laravel\FleetTestCase;
use Illuminate\Auth\GenericUser;
use Illuminate\Support\Facades\Artisan;
use Illuminate\Support\Facades\DB;

/** What is recorded of runs of the fleet: by whoever follows them, or later. */
final class FleetRecordsTest extends FleetTestCase
{
    use Databases;

    private const UUID = '5b6f4b60-5a3c-4d8a-9a52-1f1f5c1f2a11';

    public function testTheQuestionIsThereWhenTheRunWaitsAndTheAnswerOnceItIsFollowed(): void
    {
        $this->record();
        $this->actingAs(new GenericUser(['id' => 7]));
        $run = (string) $this->postJson('/agent/chat', ['prompt' => 'Hello', 'conversation' => self::UUID])
            ->assertStatus(202)->json('run');
        $found = AgentRun::query()->sole();
        self::assertSame([$run, 'running', '7', self::UUID], [
            $found->id, $found->status, $found->user, $found->conversation_id,
        ]);
        self::assertSame(['Hello'], AgentMessage::query()->pluck('content')->all());
        $this->beginRun($run);
        $this->writeRun($run, [self::START, ['delta', ['text' => 'Hi', 'block' => 1]], self::DONE]);
        $this->follow($run, 2)->streamedContent(); // a browser that comes back in the midst of a text
        self::assertSame(['Hello', 'Hi'], AgentMessage::query()->orderBy('seq')->get()->pluck('content')->all());
        self::assertSame(['done', '7'], [AgentRun::query()->sole()->status, AgentRun::query()->sole()->user]);
        self::assertSame('7', AgentConversation::query()->sole()->owner);
    }

    /** @dataProvider databases */
    public function testManyThatFollowOneRunAtOnceLeaveTheSameRows(string $kind): void
    {
        $this->record($kind);
        $run = $this->begun();
        $events = [self::START];
        foreach (range(1, 20) as $call) {
            $events[] = ['delta', ['text' => "Text $call", 'block' => $call]];
            $events[] = ['tool_call', ['tool_use_id' => "t$call", 'name' => 'Read', 'input' => ['n' => $call]]];
            $events[] = ['tool_result', ['tool_use_id' => "t$call", 'status' => 'ok', 'content' => "Result $call"]];
        }
        $this->writeRun($run, [...$events, self::DONE]);
        DB::purge();
        $this->app->forgetInstance(FleetAccess::class); // each process has a connection of its own
        $children = [];
        foreach ([0, 5, 17] as $after) {
            $children[] = $child = pcntl_fork();
            if ($child === 0) {
                try {
                    DB::purge();
                    $this->asVisitor('Ada');
                    $this->follow($run, $after)->streamedContent();
                } finally {
                    posix_kill((int) getmypid(), SIGKILL);
                }
            }
        }
        foreach ($children as $child) {
            pcntl_waitpid($child, $status);
        }
        DB::purge();
        Artisan::call('agent:records flush'); // what met a lock may have gone there
        self::assertSame('done', AgentRun::query()->sole()->status);
        $said = AgentMessage::query()->orderBy('seq')->orderBy('kind')->get();
        self::assertCount(1 + 3 * 20, $said);
        self::assertSame(
            array_map(static fn (int $call): string => "Text $call", range(1, 20)),
            $said->where('kind', 'text')->pluck('content')->values()->all(),
        );
    }

    public function testWhatNobodyFollowedIsRecordedLater(): void
    {
        $this->record();
        $run = $this->begun();
        $this->writeRun($run, [self::START, ['delta', ['text' => 'Hi', 'block' => 1]], self::DONE]);
        self::assertSame('running', AgentRun::query()->sole()->status);
        self::assertSame(0, Artisan::call('agent:records flush'));
        self::assertStringContainsString('1 runs of the fleet', Artisan::output());
        self::assertSame('done', AgentRun::query()->sole()->status);
        self::assertSame(['Hello', 'Hi'], AgentMessage::query()->orderBy('seq')->get()->pluck('content')->all());
    }

    public function testOfALostAttemptNothingIsLeft(): void
    {
        $this->record();
        $run = $this->begun();
        $this->writeRun($run, [self::START, ['delta', ['text' => 'Lost', 'block' => 1]], ['thinking', ['text' => '']]]);
        $this->rule('requeue', [$run, 1, 'test/0', 0, 1, 0, '']);
        $this->beginRun($run);
        $again = ['start', self::START[1] + ['attempt' => 2]];
        $this->writeRun($run, [$again, ['delta', ['text' => 'Hi', 'block' => 1]], self::DONE], attempt: 2);
        $this->follow($run)->streamedContent();
        self::assertSame(['Hi'], AgentMessage::query()->where('kind', 'text')->get()->pluck('content')->all());
        self::assertSame([2, 'done'], [AgentRun::query()->sole()->attempts, AgentRun::query()->sole()->status]);
    }

    public function testAWordThatAnotherProcessSaidIsRecorded(): void
    {
        $this->record();
        $run = $this->begun();
        $this->writeRun($run, [self::START]);
        $id = $this->postJson("/agent/runs/$run/steer", ['text' => 'Only Graz'])->assertStatus(202)->json('id');
        $this->writeRun($run, [['steered', ['id' => $id, 'actor' => '7']], self::DONE], seq: 2);
        $this->follow($run)->streamedContent();
        $steer = AgentMessage::query()->where('kind', 'steer')->sole();
        self::assertSame(['Only Graz', '7'], [$steer->content, $steer->actor]);
    }

    public function testATenantGoesAlongWithTheJob(): void
    {
        $this->record();
        Agent::chat('Hello')->tenant('acme')->dispatch();
        $run = AgentRun::query()->sole();
        self::assertSame('acme', $run->tenant);
        self::assertSame('acme', $this->fleet()->status($run->id)->tenant);
    }
}
