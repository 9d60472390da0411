<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Worker;

use AgentWorkers\Event\Ack;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Run;
use AgentWorkers\Tests\Workers;
use PHPUnit\Framework\TestCase;

final class ControlTest extends TestCase
{
    use Workers;

    public function testAnswersReachTheWorkerInTheContractsForm(): void
    {
        $received = $this->received(static function (Run $run): void {
            $run->permission('p1', 'allow');
            $run->permission('p2', 'deny', 'Not now.');
            $run->permission('p3', 'allow', updatedInput: []);
            $run->toolResult('t1', 'sunny');
            $run->toolResult('t2', [['type' => 'text', 'text' => 'failed']], isError: true);
        });

        self::assertSame([
            '{"type":"permission","id":"c1","permission_id":"p1","behavior":"allow"}',
            '{"type":"permission","id":"c2","permission_id":"p2","behavior":"deny","message":"Not now."}',
            '{"type":"permission","id":"c3","permission_id":"p3","behavior":"allow","updated_input":{}}',
            '{"type":"app_tool_result","id":"c4","call_id":"t1","content":"sunny"}',
            '{"type":"app_tool_result","id":"c5","call_id":"t2","content":[{"type":"text","text":"failed"}],'
                . '"is_error":true}',
            '{"type":"abort","id":"c6"}',
        ], $received);
    }

    public function testABehaviorOfAnotherNameIsRefusedHere(): void
    {
        $this->expectException(InvalidArgumentException::class);
        $this->received(static fn (Run $run) => $run->permission('p1', 'Allow'));
    }

    public function testAnAnswerToARunThatIsOverGoesNowhere(): void
    {
        $run = $this->fixture('echo')->stream(self::request());
        self::assertNull($run->permission('p1', 'deny'));
        self::events($run);

        self::assertNull($run->toolResult('t1', 'late'));
    }

    /**
     * @param \Closure(Run): mixed $answer
     *
     * @return list<string>
     */
    private function received(\Closure $answer): array
    {
        $run = $this->fixture('controls')->stream(self::request());
        $received = [];
        foreach ($run as $event) {
            if ($event->type === 'start') {
                $answer($run);
                $run->abort();
            } elseif ($event instanceof Ack) {
                $received[] = json_encode($event->jsonSerialize()->received);
            }
        }
        self::assertSame('aborted', $event->type);

        return $received;
    }
}
