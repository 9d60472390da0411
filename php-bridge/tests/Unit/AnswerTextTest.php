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
