<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Decision;
use AgentWorkers\Event\PermissionRequest;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Shown;
use AgentWorkers\Signer;
use Illuminate\Support\Str;

final class FleetAnswerTest extends FleetTestCase
{
    public function testAPermissionIsGivenStraightToTheRunAndOnce(): void
    {
        $run = $this->begun();
        $this->writeRun($run, [self::START, self::permission()]);
        $allow = ['behavior' => 'allow'];
        $this->postJson("/agent/runs/$run/permissions/other", $allow)->assertNotFound();
        $this->postJson("/agent/runs/$run/permissions/p", $allow)->assertNoContent();
        $this->postJson("/agent/runs/$run/permissions/p", ['behavior' => 'deny'])->assertStatus(410);
        [$told] = $this->told($run);
        self::assertSame(['permission', 'p', 'allow'], [$told['type'], $told['permission_id'], $told['behavior']]);
        self::assertCount(1, $this->told($run));
    }

    public function testWhatAPersonDecidesIsSignedOverTheLineThatTheRunHas(): void
    {
        config(['agent-workers.signing_key' => $key = str_repeat('k', 32)]);
        $run = $this->begun();
        $this->writeRun($run, [self::START, self::permission()]);
        $this->postJson("/agent/runs/$run/permissions/p", ['behavior' => 'allow'])->assertNoContent();
        [$told] = $this->told($run);
        $all = array_values($this->fleet()->all($run, '0-0'));
        $asked = end($all);
        self::assertInstanceOf(PermissionRequest::class, $asked);
        $decision = Decision::allow()->by($told['actor'] ?? null);
        $time = (int) explode(':', $told['signature'])[1];
        self::assertSame((new Signer($key))->decision(Shown::of($asked), $decision, $time), $told['signature']);
    }

    public function testWhatIsSettledExpiredOrOfALostAttemptTakesNoAnswer(): void
    {
        $run = $this->begun();
        $resolved = ['permission_resolved', ['permission_id' => 'p', 'behavior' => 'deny', 'by' => 'timeout']];
        $late = self::permission('late', '2020-01-01T00:00:00.000Z');
        $this->writeRun($run, [self::START, self::permission(), $resolved, $late, self::permission('lost')]);
        foreach (['p' => 410, 'late' => 410] as $id => $status) {
            $this->postJson("/agent/runs/$run/permissions/$id", ['behavior' => 'allow'])->assertStatus($status);
        }
        $this->rule('requeue', [$run, 1, 'test/0', 0, 1, 0, '']);
        $this->beginRun($run);
        $this->postJson("/agent/runs/$run/permissions/lost", ['behavior' => 'allow'])->assertNotFound();
        self::assertSame([], $this->told($run));
    }

    public function testACallThatIsTooLongToBeShownIsDenied(): void
    {
        $run = $this->begun();
        $long = self::permission();
        $long[1]['truncated_bytes'] = 9000;
        $this->writeRun($run, [self::START, $long]);
        $this->postJson("/agent/runs/$run/permissions/p", ['behavior' => 'allow'])->assertNoContent();
        self::assertSame('deny', $this->told($run)[0]['behavior']);
    }

    public function testTheAgentsQuestionsAreAnsweredAndCheckedFirst(): void
    {
        $run = $this->begun();
        $this->writeRun($run, [self::START, ['question', [
            'question_id' => 'q', 'tool_use_id' => 't', 'expires_at' => self::inAMinute(),
            'questions' => [
                ['question' => 'Which?', 'options' => [['label' => 'A'], ['label' => 'B']], 'multi' => false],
            ],
        ]]]);
        $this->postJson("/agent/runs/$run/answers/q", ['answers' => ['Who?' => 'A']])->assertStatus(422);
        $this->postJson("/agent/runs/$run/answers/none", ['answers' => ['Which?' => 'A']])->assertNotFound();
        $this->postJson("/agent/runs/$run/answers/q", ['answers' => ['Which?' => 'B']])->assertNoContent();
        [$told] = $this->told($run);
        self::assertSame(['answer', 'q', ['Which?' => 'B']], [$told['type'], $told['question_id'], $told['answers']]);
    }

    public function testAWordReachesTheAgentFromAnyRequest(): void
    {
        $run = $this->begun();
        $id = $this->postJson("/agent/runs/$run/steer", ['text' => 'Shorter.'])->assertStatus(202)->json('id');
        [$told] = $this->told($run);
        self::assertSame(['steer', $id, 'Shorter.'], [$told['type'], $told['id'], $told['text']]);
        $this->postJson("/agent/runs/$run/steer", ['text' => ' '])->assertStatus(422);
        $this->writeRun($run, [self::START, self::DONE]);
        $this->postJson("/agent/runs/$run/steer", ['text' => 'Longer.'])->assertStatus(410);
    }

    public function testAnAnswerThatDidNotReachTheRunIsGivenAgain(): void
    {
        $run = $this->begun();
        $this->writeRun($run, [self::START, self::permission()]);
        $this->machine()->set("agent-workers:run:{{$run}}:control", 'no stream');
        $this->postJson("/agent/runs/$run/permissions/p", ['behavior' => 'allow'])->assertStatus(503);
        $this->machine()->del("agent-workers:run:{{$run}}:control");
        $this->postJson("/agent/runs/$run/permissions/p", ['behavior' => 'allow'])->assertNoContent();
        self::assertCount(1, $this->told($run));
    }

    public function testOthersAnswerNothing(): void
    {
        $run = $this->begun();
        $this->writeRun($run, [self::START, self::permission()]);
        $this->asVisitor('Eve');
        Agent::viewersUsing(static fn (): bool => true);
        $this->postJson("/agent/runs/$run/permissions/p", ['behavior' => 'allow'])->assertNotFound();
        $this->postJson("/agent/runs/$run/steer", ['text' => 'Shorter.'])->assertNotFound();
        self::assertSame([], $this->told($run));
    }

    public function testAConversationHasOneRunAtATimeAndGoesOnAfterItsEnd(): void
    {
        $id = (string) Str::uuid();
        $ask = fn () => $this->postJson('/agent/chat', ['prompt' => 'Hello', 'conversation' => $id]);
        $first = $ask()->assertStatus(202)->json('run');
        $this->assertSame(['id' => $id], (array) $this->fleet()->status($first)->request()->get('session'));
        $ask()->assertStatus(409)->assertJson(['code' => 'session_busy']);
        $this->beginRun($first);
        $this->writeRun($first, [self::START, self::DONE], fields: ['session_id' => $id]);
        $second = $ask()->assertStatus(202)->json('run');
        $this->assertSame(['resume' => $id], (array) $this->fleet()->status($second)->request()->get('session'));
    }

    public function testAConversationThatIsStreamedGoesOnToo(): void
    {
        $id = (string) Str::uuid();
        $machine = $this->workInBackground();
        $this->ask(['prompt' => 'Hello', 'conversation' => $id])->assertOk()->streamedContent();
        $machine->wait();
        $this->postJson('/agent/chat', ['prompt' => 'Again', 'conversation' => $id])->assertStatus(202);
    }

    /** @return array{string, array<string, mixed>} */
    private static function permission(string $id = 'p', ?string $expiresAt = null): array
    {
        return ['permission_request', [
            'permission_id' => $id, 'tool_use_id' => 't', 'name' => 'Bash', 'input' => ['command' => 'ls'],
            'expires_at' => $expiresAt ?? self::inAMinute(),
        ]];
    }

    private static function inAMinute(): string
    {
        return gmdate('Y-m-d\TH:i:s.000\Z', time() + 60);
    }
}
