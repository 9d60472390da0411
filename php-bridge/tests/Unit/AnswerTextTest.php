<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Unit;

use AgentWorkers\Event\Done;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Run\AnswerText;
use PHPUnit\Framework\TestCase;

final class AnswerTextTest extends TestCase
{
    public function testATextThatWasCutForItsLineIsWholeAgain(): void
    {
        $done = $this->complete(['text' => 'The answ', 'truncated_bytes' => 6, 'output' => new \stdClass()]);

        self::assertSame('The answer is', substr($done->text, 0, 13));
        self::assertNull($done->truncatedBytes);
        self::assertStringContainsString('"output":{}', $done->toJson());
    }

    public function testATextThatIsNotTheEndOfTheDeltasIsLeftAsItIs(): void
    {
        $done = $this->complete(['text' => 'Something else', 'truncated_bytes' => 2]);

        self::assertSame('Something else', $done->text);
        self::assertSame(2, $done->truncatedBytes);
    }

    public function testWhatALostAttemptHasSaidIsNoPartOfTheAnswer(): void
    {
        $answer = new AnswerText();
        $answer->add(EventFactory::compose('r', 1, 'delta', ['text' => 'Lost. ', 'block' => 1]));
        $answer->add(EventFactory::compose('r', 1, 'start', ['attempt' => 2]));
        $answer->add(EventFactory::compose('r', 2, 'delta', ['text' => 'The answer', 'block' => 1]));
        $done = EventFactory::compose('r', 3, 'done', ['text' => 'The', 'truncated_bytes' => 7]);
        self::assertInstanceOf(Done::class, $done);

        self::assertSame('The answer', $answer->complete($done)->text);
    }

    /** @param array<string, mixed> $body */
    private function complete(array $body): Done
    {
        $answer = new AnswerText();
        foreach ([['First I look.', 1], ['The wrong', 2], ['The answer', 3], [' is.', 3]] as [$text, $block]) {
            $answer->add(EventFactory::compose('r', 1, 'delta', ['text' => $text, 'block' => $block]));
        }
        $answer->add(EventFactory::compose('r', 1, 'discard', ['blocks' => [2], 'reason' => 'retry']));
        $done = EventFactory::fromJson(EventFactory::compose('r', 1, 'done', $body)->toJson());
        self::assertInstanceOf(Done::class, $done);

        return $answer->complete($done);
    }
}
