<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Worker;

use AgentWorkers\AppTool;
use AgentWorkers\Event\AppToolCall;
use AgentWorkers\Event\ToolResult;
use AgentWorkers\Exception\ToolException;
use AgentWorkers\Request;
use AgentWorkers\Testing\FakeRunner;
use AgentWorkers\Testing\Script;
use AgentWorkers\Tests\Workers;
use AgentWorkers\ToolContent;
use PHPUnit\Framework\TestCase;

final class AppToolTest extends TestCase
{
    use Workers;

    private const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ'
        . 'AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    private const ANY = ['type' => 'object'];

    public function testAHandlerAnswersTheCallAfterTheLoopHasSeenIt(): void
    {
        $seen = [];
        $add = static function (array $input) use (&$seen): int {
            $seen[] = 'handler';

            return $input['a'] + $input['b'];
        };
        $request = self::request()->appTool('add', 'Adds.', self::ANY, $add);
        $fake = new FakeRunner(Script::text('5.')->callingTool('add', ['a' => 2, 'b' => 3]));
        foreach ($fake->stream($request) as $event) {
            $seen[] = $event->type;
        }

        self::assertSame(
            ['start', 'session', 'tool_call', 'app_tool_call', 'handler', 'ack', 'tool_result', 'delta', 'done'],
            $seen,
        );
        $fake->assertToolAnswered('add', '5');
    }

    public function testTheRequestOffersTheToolAndKeepsTheHandlerToItself(): void
    {
        $schema = ['type' => 'object', 'properties' => []];
        $request = self::request()->appTool('now', 'The time.', $schema, static fn (): string => '12:00', 2.5)
            ->model('m');

        self::assertStringContainsString(
            '"app_tools":[{"name":"now","description":"The time.","input_schema":{"type":"object","properties":{}},'
                . '"timeout_s":2.5}]',
            $request->toJson(),
        );
        self::assertSame(['now'], array_keys($request->handlers()));
    }

    public function testAToolMayBeAnObject(): void
    {
        $tool = new class implements AppTool {
            public function name(): string
            {
                return 'greet';
            }

            public function description(): string
            {
                return 'Greets.';
            }

            public function schema(): array
            {
                return ['type' => 'object'];
            }

            public function handle(array $input): string
            {
                return "Hello, {$input['name']}!";
            }
        };
        $fake = new FakeRunner(Script::text('Done.')->callingTool('greet', ['name' => 'Ada']));
        $fake->run(self::request()->appTools($tool));

        $fake->assertToolAnswered('greet', 'Hello, Ada!');
    }

    /**
     * @dataProvider results
     *
     * @param string|list<mixed> $content
     */
    public function testAResultIsSentInTheFormThatTheModelReads(mixed $result, string|array $content): void
    {
        [$sent] = $this->answered(static fn (): mixed => $result);

        self::assertSame([$content, false], [$sent['content'], $sent['is_error'] ?? false]);
    }

    /** @return iterable<string, array{mixed, string|list<mixed>}> */
    public static function results(): iterable
    {
        $stringable = new class {
            public function __toString(): string
            {
                return 'me';
            }
        };
        $json = new class ('x') implements \JsonSerializable {
            public function __construct(private readonly mixed $value)
            {
            }

            public function jsonSerialize(): mixed
            {
                return $this->value;
            }
        };
        $arrayable = new class {
            /** @return array<string, int> */
            public function toArray(): array
            {
                return ['a' => 1];
            }
        };
        $image = [
            'type' => 'image',
            'source' => ['type' => 'base64', 'media_type' => 'image/png', 'data' => self::PIXEL],
        ];

        yield 'text' => ["gr\u{fc}\u{df}e \u{1f600}\n", "gr\u{fc}\u{df}e \u{1f600}\n"];
        yield 'no text' => ['', ''];
        yield 'nothing' => [null, 'null'];
        yield 'a number' => [1.0, '1.0'];
        yield 'a list' => [[['type' => 'text', 'text' => 'x']], '[{"type":"text","text":"x"}]'];
        yield 'an object' => [['city' => 'Köln', 'url' => 'a/b'], '{"city":"Köln","url":"a/b"}'];
        yield 'Stringable' => [$stringable, 'me'];
        yield 'JsonSerializable' => [new $json(['b' => true]), '{"b":true}'];
        yield 'JsonSerializable as a string' => [new $json('ü"'), 'ü"'];
        yield 'arrayable' => [$arrayable, '{"a":1}'];
        yield 'a generator' => [(static fn (): iterable => yield from [1, 2])(), '[1,2]'];
        yield 'blocks' => [
            (new ToolContent())->text('The pixel:')->image(base64_decode(self::PIXEL), 'image/png')->text(''),
            [['type' => 'text', 'text' => 'The pixel:'], $image],
        ];
    }

    /** @dataProvider unsendable */
    public function testAResultThatCannotBeSentIsAnErrorForTheModelAndTheLog(mixed $result): void
    {
        [$sent, $logger] = $this->answered(static fn (): mixed => $result);

        self::assertSame(['The tool gave a result that cannot be sent.', true], [$sent['content'], $sent['is_error']]);
        self::assertInstanceOf(\JsonException::class, $logger->at('error')[0]['context']['exception']);
    }

    /** @return iterable<string, array{mixed}> */
    public static function unsendable(): iterable
    {
        yield 'bytes' => ["\xff\xfe"];
        yield 'bytes within' => [['name' => "J\xfcrgen"]];
        yield 'a resource' => [STDIN];
        yield 'no number' => [NAN];
        yield 'bytes in a block' => [(new ToolContent())->text("\xff")];
    }

    public function testAResultBeyondWhatAWorkerTakesIsRefusedClearly(): void
    {
        [$sent] = $this->answered(static fn (): string => str_repeat("\n", 17 << 20));

        $told = 'The result is too large: 36 MB. The limit is 32 MB.';
        self::assertSame([$told, true], [$sent['content'], $sent['is_error']]);
    }

    public function testWhatAHandlerThrowsIsForTheLogAndNotForTheModel(): void
    {
        [$sent, $logger] = $this->answered(static fn (): mixed => throw new \DomainException('password=geheim'));

        self::assertSame(['The tool failed.', true], [$sent['content'], $sent['is_error']]);
        self::assertSame('password=geheim', $logger->at('error')[0]['context']['exception']->getMessage());
    }

    public function testAToolExceptionTellsTheModelWhatToDo(): void
    {
        [$sent, $logger] = $this->answered(static fn (): mixed => throw new ToolException('Name a city.'));

        self::assertSame(['Name a city.', true], [$sent['content'], $sent['is_error']]);
        self::assertSame([], $logger->records);
    }

    public function testATypeErrorIsAFailedToolLikeAnyOther(): void
    {
        [$sent] = $this->answered(static fn (string $city): string => $city);

        self::assertSame(['The tool failed.', true], [$sent['content'], $sent['is_error']]);
    }

    public function testACallWhoseInputWasCutIsNotRun(): void
    {
        $sent = $this->sentFor(['truncated_bytes' => 5]);

        $told = 'The input is too large for the tool. Call it with a smaller one.';
        self::assertSame([$told, true], [$sent[0]['content'], $sent[0]['is_error']]);
    }

    public function testACallThatTheModelHasGivenUpIsNotRun(): void
    {
        self::assertSame([], $this->sentFor(['expires_at' => '2026-01-01T00:00:00.000Z']));
        self::assertSame([], $this->sentFor(['expires_at' => '2026-01-01T00:00:00Z']));
        self::assertCount(1, $this->sentFor(['expires_at' => 'some day']));
    }

    public function testACallWithoutAHandlerIsLeftToTheLoop(): void
    {
        $fake = new FakeRunner(Script::text('Hi')->callingTool('other'));
        $run = $fake->stream(self::request()->appTool('other', 'Another.', ['type' => 'object']));
        foreach ($run as $event) {
            $event instanceof AppToolCall && $run->toolResult($event->callId, 'by hand');
        }

        $fake->assertToolAnswered('other', 'by hand');
    }

    public function testWhatTheLoopAnsweredIsNotAnsweredAgain(): void
    {
        $fake = new FakeRunner(Script::text('Hi')->callingTool('t'));
        $run = $fake->stream(self::request()->appTool('t', 'T.', self::ANY, static fn (): string => 'handler'));
        foreach ($run as $event) {
            $event instanceof AppToolCall && $run->toolResult($event->callId, 'loop');
        }

        self::assertSame(['loop'], array_column($fake->controls(), 'content'));
    }

    public function testAHandlerMayAnswerByItself(): void
    {
        $fake = new FakeRunner(Script::text('Hi')->callingTool('t'));
        $itself = static function () use (&$run): string {
            $run->toolResult('call_1', 'itself');

            return 'again';
        };
        $run = $fake->stream(self::request()->appTool('t', 'T.', self::ANY, $itself));
        $run->wait();

        self::assertSame(['itself'], array_column($fake->controls(), 'content'));
    }

    public function testALoopThatIsLeftAtTheCallRunsNothing(): void
    {
        $fake = new FakeRunner(Script::text('Hi')->callingTool('t'), Script::text('Hi')->callingTool('t'));
        $ran = static fn (): mixed => self::fail('It ran.');
        $request = self::request()->appTool('t', 'T.', self::ANY, $ran);
        foreach ($fake->stream($request) as $event) {
            if ($event instanceof AppToolCall) {
                break;
            }
        }
        $run = $fake->stream($request);
        foreach ($run as $event) {
            $event instanceof AppToolCall && $run->abort();
        }

        self::assertSame(['abort'], array_column($fake->controls(), 'type'));
    }

    public function testTheLateAnswerOfASlowHandlerIsAcknowledgedAsSuchAndHarmsNothing(): void
    {
        $run = $this->fixture('impatient')->stream(
            self::request()->appTool('t', 'T.', self::ANY, static function (array $input): string {
                self::eventually(static fn (): bool => is_file($input['file']), 'The worker did not give up.');

                return 'late';
            })->metadata(['file' => $this->directory() . '/given-up']),
        );
        $events = self::events($run);

        self::assertSame(['start', 'app_tool_call', 'tool_result', 'ack', 'done'], self::types($events));
        self::assertSame([false, 'not_pending'], [$events[3]->ok, $events[3]->code]);
    }

    public function testALargeResultArrivesWhole(): void
    {
        $text = str_repeat("z\u{e9}ro\n", 1 << 20);
        $run = $this->fixture('calls-tool')->stream(
            self::request()->appTool('t', 'T.', self::ANY, static fn (): string => $text),
        );
        $result = array_values(array_filter(self::events($run), static fn ($event) => $event instanceof ToolResult))[0];

        self::assertSame(md5($text), $result->content);
    }

    /** @return array{array<string, mixed>, MemoryLogger} */
    private function answered(\Closure $handler): array
    {
        $logger = new MemoryLogger();
        $fake = (new FakeRunner(Script::text('Hi')->callingTool('t')))->logger($logger);
        $fake->run(self::request()->appTool('t', 'T.', self::ANY, $handler));
        $logger->records = array_values(array_filter($logger->records, static fn ($one) => $one['level'] !== 'debug'));

        return [$fake->controls()[0], $logger];
    }

    /**
     * @param array<string, mixed> $fields of the call
     *
     * @return list<array<string, mixed>>
     */
    private function sentFor(array $fields): array
    {
        $call = ['type' => 'app_tool_call', 'call_id' => 'c', 'name' => 't', 'input' => []];
        $fake = new FakeRunner(Script::events($fields + $call, ['type' => 'done', 'text' => '']));
        $fake->run(self::request()->appTool('t', 'T.', self::ANY, static fn (): string => 'ran'));

        return $fake->controls();
    }
}
