<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Unit;

use AgentWorkers\Process\LineSplitter;
use PHPUnit\Framework\TestCase;

final class LineSplitterTest extends TestCase
{
    private const BYTES = "{\"a\":\"grüße 😀\"}\n\nsecond\r\nlast";

    public function testEveryPairOfCutsGivesTheSameLines(): void
    {
        $length = strlen(self::BYTES);
        for ($first = 0; $first <= $length; $first++) {
            for ($second = $first; $second <= $length; $second++) {
                $lines = self::lines(new LineSplitter(), [
                    substr(self::BYTES, 0, $first),
                    substr(self::BYTES, $first, $second - $first),
                    substr(self::BYTES, $second),
                ]);
                self::assertSame(explode("\n", self::BYTES), $lines);
            }
        }
    }

    /** @dataProvider chunkSizes */
    public function testALineBeyondTheCapIsNullAndTheRestIsKept(int $size): void
    {
        $bytes = "12345\n123456\n1\n" . str_repeat('x', 100) . "\n\n12345";

        $lines = self::lines(new LineSplitter(5), str_split($bytes, $size));

        self::assertSame(['12345', null, '1', null, '', '12345'], $lines);
    }

    /** @return iterable<string, array{int}> */
    public static function chunkSizes(): iterable
    {
        foreach ([1, 2, 3, 7, 1000] as $size) {
            yield "by $size" => [$size];
        }
    }

    public function testAnUnfinishedLineBeyondTheCapIsNullToo(): void
    {
        self::assertSame([null], self::lines(new LineSplitter(5), ['1234', '5678']));
    }

    /**
     * @param list<string> $chunks
     *
     * @return list<string|null>
     */
    private static function lines(LineSplitter $splitter, array $chunks): array
    {
        $lines = [];
        foreach ($chunks as $chunk) {
            array_push($lines, ...$splitter->push($chunk));
        }

        return [...$lines, $splitter->rest()];
    }
}
