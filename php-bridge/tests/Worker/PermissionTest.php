<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Worker;

use AgentWorkers\Decision;
use AgentWorkers\Event\Delta;
use AgentWorkers\Event\PermissionRequest;
use AgentWorkers\Event\PermissionResolved;
use AgentWorkers\Run;
use AgentWorkers\Testing\FakeRunner;
use AgentWorkers\Testing\Script;
use AgentWorkers\Tests\Workers;
use PHPUnit\Framework\TestCase;

final class PermissionTest extends TestCase
{
    use Workers;

    /**
     * @dataProvider answers
     *
     * @param array<string, mixed> $control
     */
    public function testAnAnswerDecides(mixed $answer, array $control): void
    {
        $fake = new FakeRunner(Script::text('Hi')->asking('Bash', ['command' => 'ls']));
        $fake->stream(self::request())->onPermission(static fn (): mixed => $answer)->wait();

        $ids = ['type' => true, 'id' => true, 'permission_id' => true];
        self::assertSame($control, array_diff_key($fake->controls()[0], $ids));
        self::assertCount(1, $fake->controls());
    }

    /** @return iterable<string, array{mixed, array<string, mixed>}> */
    public static function answers(): iterable
    {
        $defect = ['behavior' => 'deny', 'message' => 'Nobody could decide on this call.'];

        yield 'true' => [true, ['behavior' => 'allow']];
        yield 'false' => [false, ['behavior' => 'deny']];
        yield 'allow' => [Decision::allow(), ['behavior' => 'allow']];
        yield 'allow otherwise' => [
            Decision::allow(['command' => 'ls -l']),
            ['behavior' => 'allow', 'updated_input' => ['command' => 'ls -l']],
        ];
        yield 'deny' => [Decision::deny('Not today.'), ['behavior' => 'deny', 'message' => 'Not today.']];
        yield 'a word' => ['allow', $defect];
        yield 'a number' => [1, $defect];
        yield 'an array' => [['behavior' => 'allow'], $defect];
        yield 'what JSON cannot say' => [Decision::allow(['x' => NAN]), $defect];
    }

    public function testWhatIsThrownIsADenialAndTheRunGoesOn(): void
    {
        $logger = new MemoryLogger();
        $fake = (new FakeRunner(Script::text('Hi')->asking('Bash')))->logger($logger);
        $run = $fake->stream(self::request())->onPermission(static fn (): bool => throw new \DomainException('geheim'));

        self::assertSame('Hi', $run->wait()->text);
        $fake->assertDenied('Bash', 'Nobody could decide on this call.');
        self::assertSame('geheim', $logger->at('error')[0]['context']['exception']->getMessage());
    }

    public function testAsLongAsThereIsNoAnswerItIsAskedAgain(): void
    {
        $asked = 0;
        $fake = new FakeRunner(Script::text('Hi')->asking('Bash'));
        $fake->stream(self::request())->onPermission(static function () use (&$asked): ?bool {
            return ++$asked === 7 ? true : null;
        })->wait();

        self::assertSame(7, $asked);
        $fake->assertAllowed('Bash');
    }

    public function testWithoutAnAnswerNothingIsAllowed(): void
    {
        $fake = new FakeRunner(Script::text('Hi')->asking('Bash'));
        $events = self::events($fake->stream(self::request())->onPermission(static fn (): ?bool => null));

        self::assertSame(['deny', 'timeout'], [$events[4]->behavior, $events[4]->by]);
        self::assertSame([], $fake->controls());
        $fake->assertDenied('Bash');
    }

    public function testWithoutAHandlerTheQuestionIsTheLoops(): void
    {
        $fake = new FakeRunner(Script::text('Hi')->asking('Bash'));
        $run = $fake->stream(self::request());
        foreach ($run as $event) {
            $event instanceof PermissionRequest && $run->decide($event->permissionId, Decision::allow());
        }

        $fake->assertAllowed('Bash');
    }

    public function testSeveralHandlersAreAskedInTheirOrderUntilOneAnswers(): void
    {
        $asked = [];
        $answers = static function (string $name, ?bool $answer) use (&$asked): \Closure {
            return static function () use ($name, $answer, &$asked): ?bool {
                $asked[] = $name;

                return $answer;
            };
        };
        $fake = new FakeRunner(Script::text('Hi')->asking('Bash'));
        $run = $fake->stream(self::request())->onPermission($answers('first', null));
        $run->onPermission($answers('second', false))->onPermission($answers('third', true))->wait();

        self::assertSame(['first', 'second'], $asked);
        $fake->assertDenied('Bash');
    }

    public function testAHandlerIsAskedBeforeTheLoopSeesTheQuestion(): void
    {
        $seen = [];
        $run = (new FakeRunner(Script::text('Hi')->asking('Bash')))->stream(self::request());
        $run->onPermission(static function () use (&$seen): bool {
            $seen[] = 'handler';

            return true;
        });
        foreach ($run as $event) {
            $seen[] = $event->type;
        }

        self::assertSame(
            ['start', 'session', 'tool_call', 'handler', 'permission_request', 'ack', 'permission_resolved',
                'tool_result', 'delta', 'done'],
            $seen,
        );
    }

    public function testThreeOpenQuestionsAreKeptApartWhicheverIsAnsweredFirst(): void
    {
        $seen = $settled = [];
        $run = $this->fixture('asks-thrice')->stream(self::request());
        $run->onPermission(static function (PermissionRequest $question) use (&$seen, &$settled): ?Decision {
            $seen[$question->permissionId] = true;

            return match (true) {
                count($seen) < 3 => null,
                $question->permissionId === 'p2' => Decision::deny('second'),
                $question->permissionId === 'p3' && $settled !== [] => Decision::allow(),
                default => null,
            };
        });
        foreach ($run as $event) {
            if ($event instanceof PermissionResolved) {
                $settled[] = [$event->permissionId, $event->behavior];
                $event->permissionId === 'p3' && $run->decide('p1', Decision::deny('first'));
            }
        }

        self::assertSame([['p2', 'deny'], ['p3', 'allow'], ['p1', 'deny']], $settled);
    }

    public function testAQuestionThatTheWorkerSettledIsNotAskedAgain(): void
    {
        $asked = 0;
        $question = ['type' => 'permission_request', 'permission_id' => 'p', 'name' => 'Bash', 'input' => []];
        $settled = ['type' => 'permission_resolved', 'permission_id' => 'p', 'behavior' => 'deny', 'by' => 'policy'];
        $script = Script::events($question, $settled, ['type' => 'done', 'text' => ''])->slow(ticks: 1);
        $run = (new FakeRunner($script))->stream(self::request());
        $run->onPermission(static function () use (&$asked): ?bool {
            $asked++;

            return null;
        })->wait();

        self::assertSame(2, $asked);
    }

    public function testAQuestionThatHasExpiredIsNotAskedAgain(): void
    {
        $asked = 0;
        $question = ['type' => 'permission_request', 'permission_id' => 'p', 'name' => 'Bash', 'input' => []];
        $late = $question + ['expires_at' => '2026-01-01T00:00:00.000Z'];
        $fake = new FakeRunner(Script::events($late, ['type' => 'done', 'text' => ''])->slow(ticks: 9));
        $fake->stream(self::request())->onPermission(static function () use (&$asked): ?bool {
            return ++$asked > 1 ? true : null;
        })->wait();

        self::assertSame(1, $asked);
        self::assertSame([], $fake->controls());
    }

    public function testAnAnswerToAnotherQuestionAllowsNothing(): void
    {
        $fake = new FakeRunner(Script::text('Hi')->asking('Bash'));
        $run = $fake->stream(self::request());
        $acks = [];
        foreach ($run as $event) {
            $event instanceof PermissionRequest && $run->decide('another', Decision::allow());
            $event->type === 'ack' && $acks[] = $event->code;
        }

        self::assertSame(['not_pending'], $acks);
        $fake->assertDenied('Bash');
    }

    public function testARunThatIsBeingStoppedAsksNobody(): void
    {
        $run = (new FakeRunner(Script::text('Hi')->asking('Bash')->slow()))->stream(self::request());
        $asked = 0;
        $run->onPermission(static function () use (&$asked): bool {
            $asked++;

            return true;
        });
        foreach ($run as $event) {
            $event->type === 'tool_call' && $run->abort();
        }

        self::assertSame(['aborted', 0], [$event->type, $asked]);
    }

    public function testAHandlerMayAbortTheRun(): void
    {
        $run = (new FakeRunner(Script::text('Hi')->asking('Bash')))->stream(self::request());
        $run->onPermission(static function () use ($run): ?bool {
            $run->abort();

            return null;
        });

        self::assertNotContains(Delta::class, array_map(get_class(...), self::events($run)));
    }
}
