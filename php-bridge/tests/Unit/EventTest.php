<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Unit;

use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\Delta;
use AgentWorkers\Event\Done;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Event\Start;
use AgentWorkers\Event\UnknownEvent;
use AgentWorkers\Event\Usage;
use AgentWorkers\Exception\MalformedEventException;
use PHPUnit\Framework\TestCase;

final class EventTest extends TestCase
{
    private const ENVELOPE = ['v' => 1, 'seq' => 3, 'run' => 'r', 'ts' => '2026-01-01T00:00:00.000Z'];

    public function testEveryGoldenEventHasAPropertyForEachOfItsFields(): void
    {
        $files = glob(dirname(__DIR__, 3) . '/tests/protocol/golden/*.json') ?: [];
        if ($files === []) {
            self::markTestSkipped('The golden events belong to the worker\'s repository.');
        }
        foreach ($files as $file) {
            $event = EventFactory::fromJson(file_get_contents($file));
            self::assertNotInstanceOf(UnknownEvent::class, $event, $file);
            foreach ($event->data as $name => $value) {
                $property = lcfirst(str_replace('_', '', ucwords($name, '_')));
                self::assertTrue(property_exists($event, $property), $event::class . "::\$$property");
                self::assertSame($value, self::plain($event->$property), "$event->type.$name");
            }
        }
    }

    public function testAnEventIsPassedOnAsTheWorkerWroteIt(): void
    {
        $line = '{"v":1, "seq":3,"run":"r","ts":"t","type":"tool_call","input":{},"list":[],"new":1.0}';

        self::assertSame($line, EventFactory::fromJson($line)->toJson());
        self::assertStringContainsString('"input":{},"list":[]', json_encode(EventFactory::fromJson($line)));
    }

    public function testAStartSaysWhichAttemptBegins(): void
    {
        $attempts = [];
        foreach ([[], ['attempt' => 1], ['attempt' => 3]] as $body) {
            $start = EventFactory::compose('r', 1, 'start', $body);
            self::assertInstanceOf(Start::class, $start);
            $attempts[] = [$start->attempt, $start->attempt()];
        }

        self::assertSame([[null, 1], [1, 1], [3, 3]], $attempts);
    }

    public function testAnUnknownTypeIsKept(): void
    {
        $event = EventFactory::fromArray(self::ENVELOPE + ['type' => 'hologram', 'depth' => 3]);

        self::assertInstanceOf(UnknownEvent::class, $event);
        self::assertSame(['hologram', 3, false], [$event->type, $event->data['depth'], $event->isTerminal()]);
    }

    public function testWhatIsMissingIsUnknownAndWhatIsOddBreaksNothing(): void
    {
        $done = EventFactory::fromArray(self::ENVELOPE + ['type' => 'done', 'text' => ['odd'], 'usage' => 'odd']);

        self::assertInstanceOf(Done::class, $done);
        self::assertSame('', $done->text);
        self::assertNull($done->costUsd);
        self::assertNull($done->sessionId);
        self::assertNull($done->usage->inputTokens);
    }

    /** @dataProvider noEvents */
    public function testALineThatIsNoEventIsRefused(string $line): void
    {
        $this->expectException(MalformedEventException::class);
        EventFactory::fromJson($line);
    }

    /** @return iterable<array{string}> */
    public static function noEvents(): iterable
    {
        yield [''];
        yield ['Warning: x'];
        yield ['null'];
        yield ['[1]'];
        yield ['{"v":1}'];
        yield ['{"v":1,"seq":"1","run":"r","ts":"t","type":"delta"}'];
        yield ['{"v":1,"seq":1,"run":"r","ts":"t"}'];
        yield ['{"v":2,"seq":1,"run":"r","ts":"t","type":"delta"}'];
        yield ["{\"v\":1,\"seq\":1,\"run\":\"r\",\"ts\":\"t\",\"type\":\"delta\",\"text\":\"\xff\"}"];
        yield [str_repeat('[', 10_000)];
    }

    public function testExactlyThreeTypesAreTerminal(): void
    {
        $terminal = ['done' => Done::class, 'error' => ErrorEvent::class, 'aborted' => Aborted::class];
        foreach ($terminal as $type => $class) {
            $event = EventFactory::compose('r', 1, $type, []);
            self::assertInstanceOf($class, $event);
            self::assertTrue($event->isTerminal());
        }
        self::assertFalse(EventFactory::compose('r', 1, 'delta', [])->isTerminal());
    }

    public function testAnEventOfThisSidesMakingHasAWholeEnvelope(): void
    {
        $event = EventFactory::compose('r', 7, 'delta', ['text' => 'x', 'block' => 1]);

        self::assertInstanceOf(Delta::class, EventFactory::fromJson($event->toJson()));
        self::assertMatchesRegularExpression('/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/', $event->ts);
    }

    private static function plain(mixed $value): mixed
    {
        if ($value instanceof Usage) {
            return array_filter([
                'input_tokens' => $value->inputTokens,
                'output_tokens' => $value->outputTokens,
                'cache_read_input_tokens' => $value->cacheReadInputTokens,
                'cache_creation_input_tokens' => $value->cacheCreationInputTokens,
                'cache_creation_5m_input_tokens' => $value->cacheCreation5mInputTokens,
                'cache_creation_1h_input_tokens' => $value->cacheCreation1hInputTokens,
                'cost_usd' => $value->costUsd,
            ], static fn (int|float|null $count) => $count !== null);
        }

        return is_array($value) ? array_map(self::plain(...), $value) : $value;
    }
}
