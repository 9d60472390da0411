<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Worker;

use AgentWorkers\Event\AppToolCall;
use AgentWorkers\Event\ToolOutput;
use AgentWorkers\Exception\ToolException;
use AgentWorkers\Progress;
use AgentWorkers\Request;
use AgentWorkers\Testing\FakeRunner;
use AgentWorkers\Testing\Script;
use AgentWorkers\Tests\Workers;
use PHPUnit\Framework\TestCase;

/** What the application's tools print while they run. */
final class ProgressTest extends TestCase
{
    use Workers;

    /** @dataProvider printing */
    public function testWhatAToolPrintsIsSeenBeforeItGoesOn(\Closure $handler): void
    {
        $seen = [];
        $fake = new FakeRunner(Script::text('Done.')->callingTool('t', ['n' => 1]));
        $log = static function (string $line) use (&$seen): void {
            $seen[] = $line;
        };
        $tool = static fn (array $input, Progress $progress): mixed => $handler($log, $progress);
        foreach ($fake->stream(self::offering($tool)->toolOutput()) as $event) {
            $event instanceof ToolOutput && $seen[] = "seen $event->text";
        }

        self::assertSame(['seen one', 'after one', 'seen two', 'after two'], $seen);
        $fake->assertToolAnswered('t', 'result');
    }

    /** @return iterable<string, array{\Closure}> */
    public static function printing(): iterable
    {
        yield 'by its progress' => [static function (\Closure $log, Progress $progress): string {
            foreach (['one', 'two'] as $piece) {
                $progress->write($piece);
                $log("after $piece");
            }

            return 'result';
        }];
        yield 'as a generator' => [static function (\Closure $log): \Generator {
            foreach (['one', 'two'] as $piece) {
                yield $piece;
                $log("after $piece");
            }

            return 'result';
        }];
    }

    public function testNothingIsSentWhereNobodyAsked(): void
    {
        $fake = new FakeRunner(Script::text('Done.')->callingTool('t'));
        $fake->run(self::offering(static function (array $input, Progress $progress): string {
            $progress->write('one');

            return 'result';
        }));
        self::assertSame(['app_tool_result'], array_column($fake->controls(), 'type'));
        $fake->assertToolAnswered('t', 'result');
    }

    public function testAFailureAfterSomeOutputIsAFailureThatMaySayWhetherToTryAgain(): void
    {
        $fake = new FakeRunner(Script::text('Done.')->callingTool('t'));
        $events = self::events($fake->stream(self::offering(static function ($input, $progress): string {
            $progress->write('half');
            throw new ToolException('The server is busy.', retryable: true);
        })->toolOutput()));
        $fake->assertToolFailed('t', 'The server is busy.');
        $result = array_values(array_filter($events, static fn ($event) => $event->type === 'tool_result'))[0];
        self::assertTrue($result->retryable);
    }

    public function testAFastToolIsNotHeldUpAndLosesNothing(): void
    {
        $fake = new FakeRunner(Script::text('Done.')->callingTool('t'));
        $lines = static function (): \Generator {
            for ($i = 0; $i < 100_000; $i++) {
                yield "$i\n";
            }

            return 'result';
        };
        $printed = '';
        $run = $fake->stream(self::offering($lines)->toolOutput());
        $run->onToolOutput(static function (ToolOutput $output) use (&$printed): void {
            $printed .= $output->text;
        });
        $run->wait();
        self::assertSame(implode("\n", range(0, 99_999)) . "\n", $printed);
        self::assertLessThan(90_000, count($fake->controls()));
        $fake->assertToolAnswered('t', 'result');
    }

    public function testWhatIsTooLongForALineOfTheWorkerIsSentInPieces(): void
    {
        $text = str_repeat('aß€😀', 300_001);
        $fake = new FakeRunner(Script::text('Done.')->callingTool('t'));
        $print = static fn (array $input, Progress $progress) => $progress->write($text);
        $fake->run(self::offering($print)->toolOutput());
        $outputs = array_filter($fake->controls(), static fn (array $one): bool => $one['type'] === 'app_tool_output');
        $pieces = array_column($outputs, 'text');
        self::assertSame($text, implode('', $pieces));
        self::assertLessThanOrEqual(1 << 20, max(array_map(strlen(...), $pieces)));
    }

    public function testTwoCallsAtATimeAreRunOneAfterTheOther(): void
    {
        $calls = static fn (string $id): array
            => ['type' => 'app_tool_call', 'call_id' => "call_$id", 'name' => 't', 'input' => ['id' => $id]];
        $fake = new FakeRunner(Script::events($calls('a'), $calls('b'), ['type' => 'done', 'text' => ''])->slow());
        $order = [];
        $fake->run(self::offering(static function (array $input, Progress $progress) use (&$order): string {
            $order[] = "begin {$input['id']}";
            $progress->write($input['id']);
            $order[] = "end {$input['id']}";

            return $input['id'];
        })->toolOutput());
        self::assertSame(['begin a', 'end a', 'begin b', 'end b'], $order);
        $results = array_filter($fake->controls(), static fn (array $one): bool => $one['type'] === 'app_tool_result');
        self::assertSame(['a', 'b'], array_column($results, 'content'));
    }

    public function testARunThatIsStoppedMeanwhileEndsTheHandlerWhereItStands(): void
    {
        $fake = new FakeRunner(Script::text('Done.')->callingTool('t'));
        $done = [];
        $run = $fake->stream(self::offering(static function (array $input, Progress $progress) use (&$done): void {
            try {
                $progress->write('one');
                $done[] = 'went on';
            } finally {
                $done[] = 'left';
            }
        })->toolOutput());
        foreach ($run as $event) {
            $event instanceof ToolOutput && $run->abort();
        }
        unset($run, $event);
        self::assertSame('aborted', self::lastTypeOf($fake));
        self::assertNotContains('went on', $done);
    }

    public function testAHandlerMayTakeTheCallWithItsKey(): void
    {
        $fake = new FakeRunner(Script::text('Done.')->callingTool('t'));
        $fake->run(self::offering(static fn (array $input, AppToolCall $call): string => (string) $call->effectKey));
        $fake->assertToolAnswered('t', hash('sha256', 't[]'));
    }

    public function testAParameterOfAnotherKindKeepsItsDefault(): void
    {
        $fake = new FakeRunner(Script::text('Done.')->callingTool('t'));
        $handler = static fn (array $input, ?string $call = null, int $more = 7): string => "$call$more";
        $fake->run(self::offering($handler));
        $fake->assertToolAnswered('t', '7');
    }

    private static function offering(\Closure $handler): Request
    {
        return self::request()->appTool('t', 'T.', ['type' => 'object'], $handler);
    }

    private static function lastTypeOf(FakeRunner $fake): string
    {
        $types = array_column($fake->controls(), 'type');

        return end($types) === 'abort' ? 'aborted' : (string) end($types);
    }
}
