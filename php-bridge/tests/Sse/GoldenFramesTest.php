<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Sse;

use AgentWorkers\Event\Event;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Run\Ending;
use AgentWorkers\Sse\Format;
use PHPUnit\Framework\TestCase;

/** The frames of the recorded runs, as `agent-workers convert` writes them, too. */
final class GoldenFramesTest extends TestCase
{
    private const FOLDER = __DIR__ . '/../../../conformance/v1';

    /** @dataProvider runs */
    public function testARunIsSentInTheRecordedFramesByteForByte(string $file, Format $format): void
    {
        $encoder = $format->encoder();
        $frames = array_map($encoder->event(...), self::events($file));

        $golden = self::FOLDER . "/frames/$format->value/" . basename($file, '.ndjson') . '.sse';
        self::assertStringEqualsFile($golden, $encoder->opening() . implode('', $frames) . $encoder->closing());
    }

    /** @return iterable<string, array{string, Format}> */
    public static function runs(): iterable
    {
        $files = [...glob(self::FOLDER . '/transcripts/*.ndjson'), ...glob(self::FOLDER . '/frames/events/*.ndjson')];
        foreach ([Format::Native, Format::AiSdk, Format::AgUi, Format::Laravel] as $format) {
            foreach ($files as $file) {
                yield $format->value . ' ' . basename($file, '.ndjson') => [$file, $format];
            }
        }
    }

    /** @return list<Event> with an end; where the worker has written none, it bears the time of the last event */
    private static function events(string $file): array
    {
        $lines = array_slice(explode("\n", file_get_contents($file)), 0, -1);
        $events = array_map(EventFactory::fromJson(...), $lines);
        if (array_filter($events, static fn (Event $event): bool => $event->isTerminal()) === []) {
            $last = end($events);
            $envelope = ['v' => 1, 'seq' => $last->seq + 1, 'run' => $last->run, 'ts' => $last->ts, 'type' => 'error'];
            $events[] = EventFactory::fromArray($envelope + Ending::cutShort());
        }

        return $events;
    }
}
