<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Unit;

use AgentWorkers\Process\Tail;
use PHPUnit\Framework\TestCase;

final class TailTest extends TestCase
{
    public function testItKeepsTheEnd(): void
    {
        $tail = new Tail(4);
        foreach (['ab', 'cd', '', 'e', '0123456789'] as $bytes) {
            $tail->append($bytes);
        }
        self::assertSame('6789', (string) $tail);

        $tail->append('x');
        self::assertSame('789x', (string) $tail);
    }
}
