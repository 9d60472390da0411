<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Unit;

use AgentWorkers\Exception\LogicException;
use AgentWorkers\Run\State;
use PHPUnit\Framework\TestCase;

final class StateTest extends TestCase
{
    /**
     * @dataProvider lives
     *
     * @param list<string> $transitions
     */
    public function testARunEndsInTheStateThatItsTransitionsLeadTo(array $transitions, State $last): void
    {
        $state = array_reduce(
            $transitions,
            static fn (State $state, string $transition): State => $state->$transition(),
            State::Ready,
        );
        self::assertSame($last, $state);
    }

    /** @return iterable<string, array{list<string>, State}> */
    public static function lives(): iterable
    {
        yield 'it ends by itself' => [['begin', 'end'], State::Ended];
        yield 'it is stopped' => [['begin', 'stop', 'end'], State::Stopped];
        yield 'it is stopped before it begins' => [['stop', 'begin', 'end'], State::Stopped];
        yield 'its deadline passes' => [['begin', 'expire'], State::Overdue];
        yield 'its deadline passes while it is being stopped' => [['begin', 'stop', 'expire'], State::Overdue];
        yield 'it is stopped after its deadline' => [['begin', 'expire', 'stop'], State::Overdue];
        yield 'it is stopped after its end' => [['begin', 'end', 'stop'], State::Ended];
        yield 'its deadline passes after its end' => [['begin', 'end', 'expire'], State::Ended];
        yield 'it ends twice' => [['begin', 'stop', 'end', 'end'], State::Stopped];
    }

    /** @dataProvider iterated */
    public function testARunThatWasIteratedDoesNotBeginAgain(State $state): void
    {
        $this->expectException(LogicException::class);
        $state->begin();
    }

    /** @return iterable<string, array{State}> */
    public static function iterated(): iterable
    {
        foreach (State::cases() as $state) {
            if (!in_array($state, [State::Ready, State::Cancelled], true)) {
                yield $state->name => [$state];
            }
        }
    }

    public function testEveryStateButTheFirstTwoAndThoseOfAnEndIsUnderway(): void
    {
        $underway = array_filter(State::cases(), static fn (State $state): bool => $state->isUnderway());
        self::assertSame([State::Running, State::Stopping, State::Overdue], array_values($underway));
    }
}
