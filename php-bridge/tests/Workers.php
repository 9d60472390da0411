<?php

declare(strict_types=1);

namespace AgentWorkers\Tests;

use AgentWorkers\Event\Delta;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\Start;
use AgentWorkers\ProcessRunner;
use AgentWorkers\Request;
use AgentWorkers\Run;

/** Real processes for tests: the fixture worker, and agent-chat with its simulator. */
trait Workers
{
    use Scenarios;
    use TemporaryDirectory;

    private function fixture(string $behaviour): ProcessRunner
    {
        return (new ProcessRunner(PHP_BINARY, [__DIR__ . '/fixtures/worker.php', $behaviour]))->inheritEnv();
    }

    private function agentChat(string $scenario): ProcessRunner
    {
        return $this->agent('agent-chat', $scenario);
    }

    private function agent(string $worker, string $scenario): ProcessRunner
    {
        return (new ProcessRunner($this->binary($worker), ["--simulate=$scenario"]))->inheritEnv()->env([
            'HOME' => $this->directory(),
            'AGENT_WORKERS_STATE_DIR' => $this->directory() . '/state',
        ]);
    }

    private static function request(): Request
    {
        return Request::prompt('Hello');
    }

    /**
     * @param iterable<Event> $events
     *
     * @return list<string>
     */
    private static function types(iterable $events): array
    {
        $types = [];
        foreach ($events as $event) {
            $types[] = $event->type;
        }

        return $types;
    }

    /** @param list<Event> $events */
    private static function text(array $events): string
    {
        return implode('', array_map(static fn (Event $event) => $event instanceof Delta ? $event->text : '', $events));
    }

    /** @return list<Event> */
    private static function events(Run $run): array
    {
        return iterator_to_array($run, false);
    }

    private static function pid(Event $start): int
    {
        self::assertInstanceOf(Start::class, $start);

        return $start->metadata['pid'];
    }

    /** @param \Closure(): bool $condition */
    private static function eventually(\Closure $condition, string $message): void
    {
        for ($end = hrtime(true) + 60e9; !$condition();) {
            self::assertLessThan($end, hrtime(true), $message);
            usleep(2_000);
        }
    }

    private static function assertEnds(int $pid): void
    {
        self::eventually(static fn (): bool => !self::isAlive($pid), "The process $pid did not end.");
    }

    private static function isAlive(int $pid): bool
    {
        $stat = @file_get_contents("/proc/$pid/stat");

        return $stat !== false && !str_contains($stat, ') Z ');
    }
}
