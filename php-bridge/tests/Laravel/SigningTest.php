<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Decision;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\PermissionRequest;
use AgentWorkers\Event\Question;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Http\ChatRequest;
use AgentWorkers\Shown;
use AgentWorkers\Signer;
use AgentWorkers\Testing\Script;
use AgentWorkers\Tests\Scenarios;
use Illuminate\Auth\GenericUser;
use Illuminate\Routing\Router;
use Illuminate\Session\Middleware\StartSession;
use Illuminate\Support\Facades\Artisan;
use Symfony\Component\Process\Process;

/** What a person decides is signed by the application, with a key that no worker has. */
final class SigningTest extends TestCase
{
    use Scenarios;

    private const KEY = 'base64:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=';

    /** @var list<Event> */
    private array $events = [];

    public function testADecisionIsSignedWhenItIsMadeAndReachesTheWorker(): void
    {
        config(['agent-workers.signing_key' => self::KEY]);
        $this->actingAs(new GenericUser(['id' => 7]));
        $fake = Agent::fake(Script::text('Done.')->asking('Bash', ['command' => 'ls']));
        $deny = ['behavior' => 'deny', 'message' => 'No'];
        [$asked] = $this->stream(fn (PermissionRequest $q) => $this->decide($q, $deny));
        [$told] = $fake->controls();
        self::assertSame(['deny', '7'], [$told['behavior'], $told['actor']]);
        $time = (int) explode(':', $told['signature'])[1];
        self::assertEqualsWithDelta(time(), $time, 60);
        $wanted = (new Signer(self::KEY))->decision(Shown::of($asked), Decision::deny('No')->by('7'), $time);
        self::assertSame($wanted, $told['signature']);
    }

    public function testAnswersAreSignedToo(): void
    {
        config(['agent-workers.signing_key' => self::KEY]);
        $this->asVisitor('Ada');
        $fake = Agent::fake(Script::text('Done.')->askingUser(['Which?' => ['A', 'B']]));
        $answers = ['Which?' => 'A'];
        [$asked] = $this->stream(onQuestion: fn (Question $q) => $this->postJson(
            "/agent/runs/$q->run/answers/$q->questionId",
            ['answers' => $answers],
        )->assertNoContent());
        [$told] = $fake->controls();
        $time = (int) explode(':', $told['signature'])[1];
        $wanted = (new Signer(self::KEY))->answers(Shown::of($asked), $answers, null, $time);
        self::assertSame($wanted, $told['signature']);
    }

    public function testWithoutAKeyNothingIsSigned(): void
    {
        $this->asVisitor('Ada');
        $fake = Agent::fake(Script::text('Done.')->asking('Bash'));
        $this->stream(fn (PermissionRequest $q) => $this->decide($q, ['behavior' => 'allow']));
        self::assertArrayNotHasKey('signature', $fake->controls()[0]);
    }

    public function testWhatTheApplicationDecidesByItselfBearsNoSignature(): void
    {
        config(['agent-workers.signing_key' => self::KEY]);
        $fake = Agent::fake(Script::text('Done.')->asking('Bash'));
        Agent::task('Tidy up.', '/')->onPermission(static fn (): bool => true)->run();
        self::assertArrayNotHasKey('signature', $fake->controls()[0]);
    }

    public function testTheDoctorTellsWhichKeySignsAndOneThatIsNone(): void
    {
        config(['agent-workers.binaries.agent-workers' => '/bin/false', 'agent-workers.workers' => []]);
        $checks = [self::KEY => 'ok', 'short' => 'fail', '' => null];
        foreach ($checks as $key => $status) {
            config(['agent-workers.signing_key' => $key]);
            Artisan::call('agent:doctor', ['--json' => true]);
            $report = array_values(json_decode(Artisan::output(), true))[0];
            $found = array_column($report['checks'], null, 'check')['signing'] ?? null;
            self::assertSame($status, $found['status'] ?? null);
            self::assertStringNotContainsString(self::KEY, (string) json_encode($found));
        }
    }

    public function testTheRealWorkersTranscriptProvesWhatWasDecided(): void
    {
        config([
            'agent-workers.signing_key' => self::KEY,
            'agent-workers.binaries.agent-task' => $this->binary('agent-task'),
            'agent-workers.simulate' => $this->scenario(['Bash', ['command' => 'touch made', 'description' => 'd']]),
            'agent-workers.env' => [
                'HOME' => $this->directory(), 'ANTHROPIC_API_KEY' => null, 'AGENT_WORKERS_CHAIN' => '1',
            ],
            'agent-workers.state_dir' => $this->directory() . '/state',
        ]);
        $this->actingAs(new GenericUser(['id' => 7]));
        $events = $this->stream(
            fn (PermissionRequest $q) => $this->decide($q, ['behavior' => 'allow']),
            cwd: $this->directory(),
        );
        $lines = implode('', array_map(static fn (Event $event): string => $event->toJson() . "\n", $events));
        self::assertSame([0, 'proven'], $this->verified($lines));
        self::assertSame([1, 'wrong'], $this->verified(str_replace('"actor":"7"', '"actor":"8"', $lines)));
        self::assertSame([1, 'wrong'], $this->verified(str_replace('touch made', 'touch m4de', $lines)));
    }

    /** @return array{int|null, string} exit status, and what became of the decision */
    private function verified(string $lines): array
    {
        file_put_contents($key = $this->directory() . '/key', self::KEY);
        $command = [$this->binary('agent-workers'), 'verify', '--json', '--key', $key];
        $process = new Process($command, null, null, $lines, 60);
        $process->run();

        return [$process->getExitCode(), json_decode($process->getOutput(), true)['decisions'][0]['state']];
    }

    /** @param array<string, string> $body */
    private function decide(PermissionRequest $question, array $body): void
    {
        $this->postJson("/agent/runs/$question->run/permissions/$question->permissionId", $body)->assertNoContent();
    }

    /**
     * Streams a task, and answers its first question once it is open.
     *
     * @return list<Event> the question first, for a fake; else all events
     */
    private function stream(?\Closure $onPermission = null, ?\Closure $onQuestion = null, string $cwd = '/'): array
    {
        $this->events = [];
        $isAnswered = false;
        $answer = static function (Event $asked) use ($onPermission, $onQuestion, &$isAnswered, &$open): null {
            if (isset($open) && !$isAnswered) {
                $isAnswered = true;
                ($asked instanceof Question ? $onQuestion : $onPermission)($asked);
            }
            $open = true;

            return null;
        };
        $task = fn (ChatRequest $request) => Agent::task($request, $cwd)->tools(['Bash', 'AskUserQuestion'])
            ->askVisitor()->onPermission($answer)->onQuestion($answer)
            ->onEvent(fn (Event $event) => $this->events[] = $event);
        $this->app->make(Router::class)->post('/task', $task)->middleware(StartSession::class);
        $this->postJson('/task', ['prompt' => 'Tidy up.'], ['Accept' => 'text/event-stream'])
            ->assertOk()->streamedContent();
        if ($cwd !== '/') {
            return $this->events;
        }

        return array_values(array_filter($this->events, static fn (Event $event): bool
            => $event instanceof PermissionRequest || $event instanceof Question));
    }
}
