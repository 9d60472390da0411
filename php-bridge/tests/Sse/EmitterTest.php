<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Sse;

use AgentWorkers\Event\Event;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Run;
use AgentWorkers\Sse\Emitter;
use AgentWorkers\Sse\Format;
use AgentWorkers\Testing\FakeRunner;
use AgentWorkers\Testing\Script;
use AgentWorkers\Tests\Worker\MemoryLogger;
use AgentWorkers\Tests\Workers;
use PHPUnit\Framework\TestCase;

final class EmitterTest extends TestCase
{
    use Workers;

    public function testARunBecomesAStreamThatEndsWithItsTerminalEvent(): void
    {
        $output = new MemoryOutput();
        (new Emitter(output: $output))->emit(self::fake('Hello there'));
        $dispatched = EventSource::dispatched($output->bytes());

        self::assertTrue($output->isOpen);
        self::assertSame(
            ['ping', 'start', 'session', 'delta', 'delta', 'done'],
            array_column($dispatched, 'event'),
        );
        self::assertStringEndsWith(':5', end($dispatched)['id']);
    }

    public function testLaravelsFormEndsWithItsMarker(): void
    {
        $output = new MemoryOutput();
        (new Emitter(Format::Laravel, output: $output))->emit(self::fake('Hello'));
        $dispatched = EventSource::dispatched($output->bytes());

        self::assertSame(['update'], array_values(array_unique(array_column($dispatched, 'event'))));
        self::assertSame('</stream>', end($dispatched)['data']);
        self::assertSame('done', json_decode(prev($dispatched)['data'])->type);
    }

    /** @dataProvider thrown */
    public function testWhatIsThrownInsideTheStreamIsLoggedAndEndsItWithAnError(\Closure $throw): void
    {
        $output = new MemoryOutput();
        $logger = new MemoryLogger();
        (new Emitter(Format::Laravel, logger: $logger, output: $output))->emit($throw());
        $dispatched = EventSource::dispatched($output->bytes());

        self::assertSame('</stream>', end($dispatched)['data']);
        $error = json_decode(prev($dispatched)['data']);
        self::assertSame(['error', 'internal'], [$error->type, $error->code]);
        self::assertStringNotContainsString('secret', $output->bytes());
        self::assertSame('secret', $logger->records[0]['context']['exception']->getMessage());
    }

    /** @return iterable<string, array{\Closure(): iterable<Event>}> */
    public static function thrown(): iterable
    {
        yield 'by a tick' => [static fn () => self::fake('a')->onTick(static fn () => throw new \Error('secret'))];
        yield 'by the events' => [static function (): iterable {
            yield EventFactory::compose('r', 1, 'delta', []);
            throw new \DomainException('secret');
        }];
    }

    public function testEventsWithoutAnEndGetOne(): void
    {
        $output = new MemoryOutput();
        (new Emitter(output: $output))->emit([EventFactory::compose('r', 4, 'delta', ['text' => 'x'])]);
        $dispatched = EventSource::dispatched($output->bytes());

        self::assertSame(['error', 'r:5'], [end($dispatched)['event'], end($dispatched)['id']]);
        self::assertSame('worker_lost', json_decode(end($dispatched)['data'])->code);
    }

    public function testAClientThatGoesBetweenEventsStopsTheRun(): void
    {
        $taken = 0;
        $events = (static function () use (&$taken): iterable {
            while (true) {
                yield EventFactory::compose('r', ++$taken, 'delta', ['text' => 'x', 'block' => 1]);
            }
        })();
        (new Emitter(output: new MemoryOutput(patience: 3)))->emit($events);

        self::assertSame(2, $taken);
    }

    public function testAClientThatGoesInSilenceStopsTheWorker(): void
    {
        $output = new MemoryOutput(patience: 4);
        $run = $this->fixture('obedient')->stream(self::request());
        (new Emitter(heartbeat: 0.1, output: $output))->emit($run);

        self::assertSame(3, $run->exitCode());
        self::assertCount(4, $output->writes);
    }

    public function testSilenceIsFilledWithHeartbeats(): void
    {
        $output = new MemoryOutput();
        $run = (new FakeRunner(Script::text('Hello')->slow(ticks: 2)))->stream(self::request());
        (new Emitter(heartbeat: 0, output: $output))->emit($run);

        $names = array_column(EventSource::dispatched($output->bytes()), 'event');
        self::assertGreaterThan(8, count(array_keys($names, 'ping', true)));
        self::assertSame('done', end($names));
    }

    public function testAStreamThatIsNotSilentNeedsNone(): void
    {
        $output = new MemoryOutput();
        $run = (new FakeRunner(Script::text('Hello')->slow(ticks: 2)))->stream(self::request());
        (new Emitter(output: $output))->emit($run);

        $names = array_column(EventSource::dispatched($output->bytes()), 'event');
        self::assertCount(1, array_keys($names, 'ping', true));
    }

    public function testAFilterKeepsEventsBackButNotTheEnd(): void
    {
        $output = new MemoryOutput();
        (new Emitter(output: $output))->filter(static fn () => false)->emit(self::fake('Hello'));

        self::assertSame(['ping', 'done'], array_column(EventSource::dispatched($output->bytes()), 'event'));
    }

    public function testOnTheCommandLineAnOutputBufferIsLeftToItsOwner(): void
    {
        ob_start();
        (new Emitter())->emit(self::fake('Hello'));
        $stream = (string) ob_get_clean();

        self::assertStringContainsString('event: done', $stream);
    }

    private static function fake(string $text): Run
    {
        return (new FakeRunner($text))->stream(self::request());
    }
}
