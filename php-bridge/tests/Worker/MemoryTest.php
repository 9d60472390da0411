<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Worker;

use AgentWorkers\Tests\TemporaryDirectory;
use PHPUnit\Framework\TestCase;
use Symfony\Component\Process\Process;

final class MemoryTest extends TestCase
{
    use TemporaryDirectory;

    public function test100MegabytesOfEventsPassThroughLittleMemoryAndNoFile(): void
    {
        $consumer = new Process([
            PHP_BINARY, '-d', 'sys_temp_dir=' . $this->directory(), '-d', 'memory_limit=32M',
            dirname(__DIR__) . '/fixtures/consumer.php', 'flood', 'measure', '100000000',
        ]);
        $consumer->mustRun();
        $measured = json_decode($consumer->getOutput(), true);

        self::assertSame('done', $measured['last'], $consumer->getOutput());
        self::assertGreaterThan(100_000_000, $measured['read']);
        self::assertLessThan(12 << 20, $measured['peak']);
        self::assertSame(0, $measured['spooled']);
    }
}
