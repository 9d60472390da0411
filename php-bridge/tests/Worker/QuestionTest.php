<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Worker;

use AgentWorkers\Decision;
use AgentWorkers\Event\Question;
use AgentWorkers\Event\QuestionResolved;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Run;
use AgentWorkers\Testing\FakeRunner;
use AgentWorkers\Testing\Script;
use AgentWorkers\Tests\Workers;
use PHPUnit\Framework\TestCase;

/** What the agent asks the user, and words that the user says while it works. */
final class QuestionTest extends TestCase
{
    use Workers;

    public function testAClosureAnswersAtOnceOrOnALaterTick(): void
    {
        $fake = new FakeRunner(self::asking());
        $asked = 0;
        $run = $fake->stream(self::request()->questions(30))->actor('user-7');
        $run->onQuestion(static function (Question $question) use (&$asked): ?array {
            self::assertSame('Red', $question->questions[0]['options'][0]['label']);

            return ++$asked < 3 ? null : ['Which colour?' => 'Green, please'];
        });
        $resolved = self::of(QuestionResolved::class, $run);

        self::assertSame(3, $asked);
        self::assertSame(['client', 'user-7'], [$resolved->by, $resolved->actor]);
        $fake->assertAnswered('Which colour?', 'Green, please');
        $request = $fake->requests()[0];
        self::assertSame(['AskUserQuestion'], $request->get('tools'));
        self::assertSame(30.0, $request->get('limits')['question_timeout_s']);
    }

    /** @dataProvider failures */
    public function testAClosureThatFailsLeavesTheQuestionUnanswered(mixed $answer): void
    {
        $logger = new MemoryLogger();
        $fake = (new FakeRunner(self::asking()))->logger($logger);
        $run = $fake->stream(self::request())->onQuestion(
            static fn (): mixed => $answer instanceof \Throwable ? throw $answer : $answer,
        );

        self::assertSame('timeout', self::of(QuestionResolved::class, $run)->by);
        self::assertSame([], $fake->controls());
        self::assertStringContainsString('stays unanswered', $logger->at('error')[0]['message']);
    }

    /** @return iterable<string, array{mixed}> */
    public static function failures(): iterable
    {
        yield 'thrown' => [new \DomainException('No.')];
        yield 'no array' => ['Red'];
        yield 'nothing in it' => [[]];
        yield 'no text' => [['Which colour?' => 7]];
        yield 'one that was not asked' => [['Which colour?' => 'Red', 'Which size?' => 'Small']];
        yield 'another than was asked' => [['Which size?' => 'Small']];
        yield 'several where one may be chosen' => [['Which colour?' => ['Red', 'Blue']]];
        yield 'no text in a list' => [['Which colour?' => ['Red', '']]];
    }

    public function testTheLoopMayAnswerInstead(): void
    {
        $fake = new FakeRunner(self::asking());
        $run = $fake->stream(self::request());
        foreach ($run as $event) {
            if ($event instanceof Question) {
                $run->answer($event->questionId, ['Which colour?' => ['Red', 'Blue']], 'Ada');
            }
        }
        self::assertSame(
            [['type' => 'answer', 'id' => 'c1', 'question_id' => 'question_1', 'answers' => [
                'Which colour?' => ['Red', 'Blue'],
            ], 'actor' => 'Ada']],
            $fake->controls(),
        );
        self::assertNull($run->answer('question_1', ['Which colour?' => 'Red']), 'The run is over.');
        $this->expectException(InvalidArgumentException::class);
        $run->answer('question_1', []);
    }

    public function testALaterRunBringsTheAnswersOfADeferredQuestion(): void
    {
        $answers = Decision::answers(['Which colour?' => 'Red'])->by('user-7');
        $request = self::request()->decision('toolu_1', $answers);

        self::assertStringContainsString(
            '"decision":{"tool_use_id":"toolu_1","behavior":"allow","answers":{"Which colour?":"Red"},'
                . '"actor":"user-7"}',
            $request->toJson(),
        );
    }

    public function testAnActorThatTheWorkerWouldRefuseIsRefusedHere(): void
    {
        $run = (new FakeRunner('Hi'))->stream(self::request())->actor(str_repeat('ü', 128));
        $this->expectException(InvalidArgumentException::class);
        $run->actor(str_repeat('x', 129));
    }

    public function testAWordIsSaidToTheAgentAsLongAsItWorks(): void
    {
        $fake = new FakeRunner(Script::text('One two')->running('Bash', ['command' => 'make'], ["a\r", "b\n"]));
        $run = $fake->stream(self::request())->actor('user-7');
        $printed = '';
        $run->onToolOutput(static function ($output) use (&$printed): void {
            $printed .= $output->text;
        });
        self::assertNull($run->steer('Too early'), 'No worker reads it.');
        $events = [];
        foreach ($run as $event) {
            $events[] = $event;
            $event->type === 'tool_call' && self::assertSame('w1', $run->steer("/compact @x\0", id: 'w1'));
        }
        $steered = array_values(array_filter($events, static fn ($event) => $event->type === 'steered'))[0];

        self::assertSame(['w1', 'user-7'], [$steered->id, $steered->actor]);
        self::assertNull($run->steer('Too late'));
        self::assertSame("a\rb\n", $printed);
        $fake->assertSteered("/compact @x\0");
        $this->expectException(InvalidArgumentException::class);
        $run->steer(" \n");
    }

    private static function asking(): Script
    {
        return Script::text('Done.')->askingUser(['Which colour?' => ['Red', 'Blue']]);
    }

    /**
     * @template T
     *
     * @param class-string<T> $class
     *
     * @return T
     */
    private static function of(string $class, Run $run): object
    {
        $events = self::events($run);

        return array_values(array_filter($events, static fn ($event) => $event instanceof $class))[0];
    }
}
