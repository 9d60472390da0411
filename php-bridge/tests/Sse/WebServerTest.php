<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Sse;

use AgentWorkers\Tests\Workers;
use PHPUnit\Framework\TestCase;
use Symfony\Component\Process\Process;

/** The emitter in a real web server, PHP's own, with output buffering and sessions as applications have them. */
final class WebServerTest extends TestCase
{
    use Workers;

    private Process $server;
    private int $port;

    protected function setUp(): void
    {
        $socket = stream_socket_server('tcp://127.0.0.1:0');
        $this->port = (int) substr((string) strrchr(stream_socket_get_name($socket, false), ':'), 1);
        fclose($socket);
        $this->server = new Process([
            PHP_BINARY, '-d', 'output_buffering=4096', '-d', 'zlib.output_compression=1', '-d', 'display_errors=1',
            '-d', 'memory_limit=64M',
            '-S', "127.0.0.1:$this->port", dirname(__DIR__) . '/fixtures/web.php',
        ], $this->directory());
        $this->server->start();
        self::eventually(
            fn (): bool => @file_get_contents("http://127.0.0.1:$this->port/") === 'ready',
            'The server did not start.',
        );
    }

    protected function tearDown(): void
    {
        $this->server->stop(2);
    }

    public function testTheStreamHasItsHeadersAndNothingThatWasPrintedBeforeIt(): void
    {
        [$head, $body] = explode("\r\n\r\n", stream_get_contents($this->request(['behaviour' => 'echo'])), 2);

        self::assertStringContainsString('Content-Type: text/event-stream; charset=utf-8', $head);
        self::assertStringContainsString('Cache-Control: no-cache, no-transform', $head);
        self::assertStringContainsString('X-Accel-Buffering: no', $head);
        self::assertStringNotContainsString('gzip', $head);
        self::assertStringStartsWith("retry: 3000\n\n: ping\n\nevent: ping\n", $body);
        self::assertSame('done', self::last($body)['event']);
    }

    public function testEventsArriveWhileTheWorkerIsAtWork(): void
    {
        $file = $this->directory() . '/go-on';
        $client = $this->request(['behaviour' => 'waits-for-file', 'metadata' => ['file' => $file]]);
        $begin = self::readUntil($client, 'event: start');
        touch($file);

        self::assertStringNotContainsString('event: done', $begin);
        self::assertStringContainsString('event: done', stream_get_contents($client));
    }

    public function testABrowserThatGoesStopsTheWorker(): void
    {
        $file = $this->directory() . '/went-on';
        $client = $this->request(['behaviour' => 'obedient', 'heartbeat' => '0.1', 'after' => $file]);
        preg_match('/"pid":(\d+)/', self::readUntil($client, '"pid":'), $match);
        fclose($client);

        self::assertEnds((int) $match[1]);
        self::eventually(static fn (): bool => file_exists($file), 'The application could not go on.');
    }

    public function testABrowserThatGoesStopsTheWorkerInPeaceEvenWherePhpRunsNoFinally(): void
    {
        $file = $this->directory() . '/ended-in-peace';
        $client = $this->request(['behaviour' => 'obedient', 'plain' => '1', 'metadata' => ['file' => $file]]);
        self::readUntil($client, '"pid":');
        fclose($client);

        self::eventually(static fn (): bool => file_exists($file), 'The worker was not stopped, or not in peace.');
    }

    public function testTheVisitorsSessionIsNotLockedWhileTheStreamIsOpen(): void
    {
        $client = $this->request(['behaviour' => 'obedient', 'heartbeat' => '0.1']);
        self::readUntil($client, '"pid":');
        $session = fopen((string) current(glob($this->directory() . '/sess_*') ?: []), 'r');
        $isFree = flock($session, LOCK_EX | LOCK_NB);
        fclose($client);

        self::assertTrue($isFree);
    }

    /** @dataProvider fatalEnds */
    public function testEvenAFatalEndOfPhpHasItsLastWord(string $fail): void
    {
        $stream = stream_get_contents($this->request(['behaviour' => 'obedient', 'fail' => $fail]));
        $last = self::last($stream);

        self::assertSame('error', $last['event']);
        self::assertSame('internal', json_decode($last['data'])->code);
    }

    /** @return iterable<array{string}> */
    public static function fatalEnds(): iterable
    {
        yield 'exit()' => ['exit'];
        yield 'out of memory' => ['memory'];
    }

    /**
     * @param array<string, mixed> $query
     *
     * @return resource the response, with a timeout for each read
     */
    private function request(array $query)
    {
        $client = stream_socket_client("tcp://127.0.0.1:$this->port");
        stream_set_timeout($client, 20);
        $query['sessions'] = $this->directory();
        $path = '/?' . http_build_query($query);
        fwrite($client, "GET $path HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n");

        return $client;
    }

    /** @param resource $client */
    private static function readUntil($client, string $needle): string
    {
        for ($read = ''; !str_contains($read, $needle);) {
            $line = fgets($client);
            self::assertIsString($line, "The stream ended before \"$needle\":\n$read");
            $read .= $line;
        }

        return $read;
    }

    /** @return array{event: string, data: string, id: string} */
    private static function last(string $stream): array
    {
        $dispatched = EventSource::dispatched($stream);
        self::assertNotEmpty($dispatched, $stream);

        return end($dispatched);
    }
}
