<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Unit;

use AgentWorkers\Run\EventReader;
use PHPUnit\Framework\TestCase;
use Psr\Log\NullLogger;

final class EventReaderTest extends TestCase
{
    private const LINE = '{"v":1,"seq":1,"run":"r","ts":"2026-11-20T12:00:00.000Z","type":"start","worker":"w"';

    public function testTheEndOfALostWorkerGoesOnInTheChainOfItsLines(): void
    {
        $line = self::LINE . ',"prev":"' . str_repeat('0', 64) . '"}';
        $end = $this->endAfter("$line\n{\"v\":1,\"torn");
        self::assertSame(hash('sha256', $line), $end['prev']);
        self::assertSame('prev', array_key_last($end));
    }

    public function testItBeginsNoChainWhereThereIsNone(): void
    {
        self::assertArrayNotHasKey('prev', $this->endAfter(self::LINE . "}\n"));
        self::assertArrayNotHasKey('prev', $this->endAfter(''));
    }

    /** @return array<string, mixed> */
    private function endAfter(string $output): array
    {
        $reader = new EventReader('r', new NullLogger());
        iterator_to_array($reader->push($output), false);
        $end = $reader->compose('error', ['code' => 'worker_lost', 'message' => 'Gone.', 'retryable' => true]);

        return json_decode($end->toJson(), true, 512, JSON_THROW_ON_ERROR);
    }
}
