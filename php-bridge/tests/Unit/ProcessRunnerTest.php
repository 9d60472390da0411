<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Unit;

use AgentWorkers\Exception\AgentWorkersException;
use AgentWorkers\ProcessRunner;
use PHPUnit\Framework\TestCase;

final class ProcessRunnerTest extends TestCase
{
    public function testAWorkerNeedsAnAbsolutePath(): void
    {
        $this->expectException(AgentWorkersException::class);
        new ProcessRunner('agent-chat');
    }

    public function testARunnerNeverChanges(): void
    {
        $runner = new ProcessRunner('/bin/true');

        self::assertNotEquals($runner, $runner->env(['A' => 'b']));
        self::assertEquals(new ProcessRunner('/bin/true'), $runner);
    }
}
