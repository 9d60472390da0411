<?php

declare(strict_types=1);

namespace AgentWorkers\Tests;

use AgentWorkers\Event\EventFactory;
use AgentWorkers\Fleet\Fleet;
use Symfony\Component\Process\Process;

/** A real Redis on a free port, and what a machine of the fleet does there. Needs TemporaryDirectory. */
trait Fleets
{
    protected static string $rules = __DIR__ . '/../../agent_workers/fleet/scripts/';

    protected ?Process $redis = null;
    protected int $port = 0;
    private ?\Redis $machine = null;

    /** @after */
    protected function endRedis(): void
    {
        $this->redis?->stop(0);
    }

    protected function startRedis(string ...$options): void
    {
        $this->port = $this->port ?: self::freePort();
        $command = [
            'redis-server', '--bind', '127.0.0.1', '--port', (string) $this->port, '--dir', $this->directory(),
            '--unixsocket', $this->directory() . '/redis.sock', '--save', '', '--appendonly', 'yes', ...$options,
        ];
        $this->redis = new Process($command);
        $this->redis->start();
        $this->machine = null;
        for ($end = hrtime(true) + 60e9; !$this->isUp(); usleep(5_000)) {
            self::assertLessThan($end, hrtime(true), 'Redis did not come up: ' . $this->redis->getOutput());
            self::assertTrue($this->redis->isRunning(), $this->redis->getOutput());
        }
    }

    protected function fleetUrl(): string
    {
        return "redis://127.0.0.1:$this->port/0";
    }

    protected function fleet(float $patience = 30.0): Fleet
    {
        return new Fleet($this->fleetUrl(), patience: $patience);
    }

    /** Says that slots of a queue are idle, so that jobs are admitted. */
    protected function offerSlots(string $queue = 'default'): void
    {
        $this->rule('keep', [$queue, 600_000, 4, 'test/0', 'test/1', 'test/2', 'test/3']);
    }

    /** Begins the run as a worker of the fleet does; returns the number of its attempt. */
    protected function beginRun(string $run, string $slot = 'test/0', string $queue = 'default'): int
    {
        $entry = $this->machine()->hGet("agent-workers:run:{{$run}}:job", 'entry');
        $begun = $this->rule('begin', [$queue, $entry, $run, $slot, 'a-host']);
        self::assertSame('begun', $begun[0]);

        return (int) $begun[2];
    }

    /**
     * Writes events, the last of which may be terminal.
     *
     * @param list<array{0: string, 1?: array<string, mixed>}> $events types and bodies
     * @param array<string, string|int> $fields of the job's hash
     */
    protected function writeRun(string $run, array $events, int $seq = 1, int $attempt = 1, array $fields = []): void
    {
        [$state, $code, $lines] = ['', '', []];
        foreach ($events as [$type, $body]) {
            $event = EventFactory::compose($run, $seq, $type, $body ?? []);
            array_push($lines, $seq++, $event->toJson(), $type === 'app_tool_call' ? 'call' : '');
            $state = $event->isTerminal() ? $type : '';
            $code = $body['code'] ?? '';
        }
        $flat = [];
        foreach ($fields as $name => $value) {
            array_push($flat, $name, $value);
        }
        $head = [$run, $attempt, 'test/0', 0, $state, $code, 3_600_000, 0, 0, count($fields)];
        self::assertSame('written', $this->rule('write', [...$head, ...$flat, ...$lines]));
    }

    /** A machine that begins the next job, and writes events of these types. */
    protected function workInBackground(string $events = 'start delta done'): Process
    {
        $machine = new Process([PHP_BINARY, __DIR__ . '/fixtures/machine.php', (string) $this->port, $events]);
        $machine->start();

        return $machine;
    }

    /** @return list<array<string, mixed>> the control messages that the run was told */
    protected function told(string $run): array
    {
        $entries = $this->machine()->xRange("agent-workers:run:{{$run}}:control", '-', '+') ?: [];

        return array_map(
            static fn (array $entry): array => json_decode($entry['message'], true),
            array_values($entries),
        );
    }

    /** @param list<mixed> $arguments */
    protected function rule(string $name, array $arguments): mixed
    {
        $script = file_get_contents(self::$rules . 'common.lua') . file_get_contents(self::$rules . "$name.lua");
        $answer = $this->machine()->eval($script, ['agent-workers', ...array_map(strval(...), $arguments)], 1);
        self::assertNull($this->machine()->getLastError());

        return $answer;
    }

    protected function machine(): \Redis
    {
        if ($this->machine === null) {
            $this->machine = new \Redis();
            $this->machine->connect('127.0.0.1', $this->port);
        }

        return $this->machine;
    }

    protected function isUp(): bool
    {
        try {
            $redis = new \Redis();

            return @$redis->connect('127.0.0.1', $this->port, 1.0) && $redis->ping() === true;
        } catch (\RedisException) {
            return false;
        }
    }

    protected static function freePort(): int
    {
        $server = stream_socket_server('tcp://127.0.0.1:0');
        $port = (int) substr((string) strrchr((string) stream_socket_get_name($server, false), ':'), 1);
        fclose($server);

        return $port;
    }
}
