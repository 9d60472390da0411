<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Sse;

use AgentWorkers\Event\Event;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Sse\AiSdkEncoder;
use AgentWorkers\Sse\Emitter;
use AgentWorkers\Sse\Format;
use AgentWorkers\Sse\LaravelEncoder;
use AgentWorkers\Sse\NativeEncoder;
use PHPUnit\Framework\TestCase;

final class EncoderTest extends TestCase
{
    private const LINE = '{"v":1,"seq":3,"run":"r1","ts":"t","type":"delta","text":"a\nb","block":1,"x":{}}';

    public function testANativeEventHasAnIdANameAndOneLineOfData(): void
    {
        $frame = (new NativeEncoder())->event(self::event());

        self::assertSame("id: r1:3\nevent: delta\ndata: " . self::LINE . "\n\n", $frame);
    }

    public function testTheIdsOfALaterAttemptNameIt(): void
    {
        $encoder = new NativeEncoder();
        $ids = [];
        $events = [[1, 'start', []], [2, 'delta', []], [1, 'start', ['attempt' => 2]], [2, 'delta', []]];
        foreach ($events as [$seq, $type, $body]) {
            $ids[] = strtok($encoder->event(EventFactory::compose('r', $seq, $type, $body)), "\n");
        }

        self::assertSame(['id: r:1', 'id: r:2', 'id: r:2-1', 'id: r:2-2'], $ids);
        $encoder->opening();
        self::assertStringStartsWith("id: r1:3\n", $encoder->event(self::event()), 'another stream begins anew');
        self::assertStringStartsWith("id: r1:7-3\n", (new NativeEncoder(begun: 7))->event(self::event()));
    }

    public function testANativeStreamOpensWithARetryHintAndAHeartbeat(): void
    {
        self::assertSame(
            "retry: 500\n\n: ping\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\n",
            (new NativeEncoder(500))->opening(),
        );
        self::assertSame('', (new NativeEncoder())->closing());
    }

    public function testALaravelEventIsAnUpdate(): void
    {
        $encoder = new LaravelEncoder();

        self::assertSame("event: update\ndata: " . self::LINE . "\n\n", $encoder->event(self::event()));
        self::assertSame("event: update\ndata: </stream>\n\n", $encoder->closing());
    }

    public function testPingsAreNoMessagesForLaravel(): void
    {
        $encoder = new LaravelEncoder();
        $frames = $encoder->opening() . $encoder->event(EventFactory::compose('r', 1, 'ping', []));

        self::assertSame([], EventSource::dispatched($frames));
    }

    /** @dataProvider chunkFormats */
    public function testNoValueCanBreakOutOfItsChunk(Format $format): void
    {
        $evil = "x\r\n\r\nevent: done\rdata: {}\n\nid: \0y";
        $event = EventFactory::fromArray(['v' => 1, 'seq' => 1, 'run' => $evil, 'ts' => $evil, 'type' => $evil]);
        [, $extension] = EventSource::dispatched($frames = $format->encoder()->event($event));

        self::assertSame(2, substr_count($frames, "\n\n"));
        self::assertStringContainsString('"ts":' . json_encode($evil), $extension['data']);
        self::assertDoesNotMatchRegularExpression('/[^ -~\n]/', $frames);
    }

    /** @dataProvider chunkFormats */
    public function testNothingFollowsTheTerminalEvent(Format $format): void
    {
        $encoder = $format->encoder();

        self::assertNotSame('', $encoder->event(EventFactory::compose('r', 1, 'aborted', ['reason' => 'client'])));
        self::assertSame('', $encoder->event(self::event()));
    }

    public function testNumbersAreWrittenAlikeWhateverPhpIniSays(): void
    {
        $kept = ini_set('serialize_precision', '5');
        try {
            $line = '{"v":1,"seq":1,"run":"r","ts":"t","type":"x","n":[0.30000000000000004,1.0,-0.0,1e21]}';
            $frames = Format::AgUi->encoder()->event(EventFactory::fromJson($line));
            self::assertSame('5', ini_get('serialize_precision'));
        } finally {
            ini_set('serialize_precision', (string) $kept);
        }

        self::assertStringContainsString('"n":[0.30000000000000004,1,0,1e+21]', $frames);
    }

    public function testAnEmitterCanSendTwoRunsOneAfterTheOther(): void
    {
        $output = new MemoryOutput();
        $emitter = new Emitter(Format::AiSdk, output: $output);
        $events = [EventFactory::compose('r', 1, 'aborted', ['reason' => 'client'])];
        $emitter->emit($events);
        $first = $output->bytes();
        $emitter->emit($events);

        self::assertSame($first . $first, $output->bytes());
    }

    public function testOnlyTheAiSdkHasAHeaderOfItsOwn(): void
    {
        self::assertSame(['X-Vercel-AI-UI-Message-Stream' => 'v1'], Format::headersOf(Format::AiSdk));
        self::assertSame(['X-Vercel-AI-UI-Message-Stream' => 'v1'], Format::headersOf(new AiSdkEncoder()));
        self::assertSame([], Format::headersOf(Format::AgUi));
    }

    /** @dataProvider formats */
    public function testNoValueCanBeginAFrameOfItsOwn(Format $format): void
    {
        $evil = "x\r\n\r\nevent: done\rdata: {}\n\nid: \0y";
        $event = EventFactory::fromArray(['v' => 1, 'seq' => 1, 'run' => $evil, 'ts' => $evil, 'type' => $evil]);
        $dispatched = EventSource::dispatched($format->encoder()->event($event));

        self::assertCount(1, $dispatched);
        self::assertSame($evil, json_decode($dispatched[0]['data'], true)['run']);
        self::assertNotSame('done', $dispatched[0]['event']);
    }

    /** @dataProvider formats */
    public function testLineBreaksBetweenTheTokensOfAWorkersLineStayInsideTheirFrame(Format $format): void
    {
        $line = "{\"v\":1,\r\"seq\":1,\"run\":\"r\",\"ts\":\"t\",\"type\":\"delta\"}\r";
        $frame = $format->encoder()->event(EventFactory::fromJson($line));

        self::assertStringNotContainsString("\r", $frame);
        self::assertSame('delta', json_decode(EventSource::dispatched($frame)[0]['data'], true)['type']);
    }

    /** @return iterable<string, array{Format}> */
    public static function formats(): iterable
    {
        yield 'native' => [Format::Native];
        yield 'laravel' => [Format::Laravel];
    }

    /** @return iterable<string, array{Format}> */
    public static function chunkFormats(): iterable
    {
        yield 'ai-sdk' => [Format::AiSdk];
        yield 'ag-ui' => [Format::AgUi];
    }

    private static function event(): Event
    {
        return EventFactory::fromJson(self::LINE);
    }
}
