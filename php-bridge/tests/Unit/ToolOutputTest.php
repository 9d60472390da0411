<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Unit;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\ToolContent;
use AgentWorkers\Worker\ToolOutput;
use PHPUnit\Framework\TestCase;

final class ToolOutputTest extends TestCase
{
    /** @dataProvider iterators */
    public function testNoItemOfAnIteratorIsLost(\Traversable $items, string $json): void
    {
        self::assertSame($json, ToolOutput::of($items));
    }

    /** @return iterable<string, array{\Traversable<mixed>, string}> */
    public static function iterators(): iterable
    {
        $sources = static function (): \Generator {
            yield from ['a', 'b'];
            yield from ['c'];
        };
        yield 'a list' => [new \ArrayIterator(['a', 'b']), '["a","b"]'];
        yield 'by name' => [new \ArrayIterator(['x' => 1]), '{"x":1}'];
        yield 'repeated keys' => [$sources(), '["a","b","c"]'];
        yield 'keys that are objects' => [(static fn () => yield new \stdClass() => 'a')(), '["a"]'];
    }

    /** @dataProvider images */
    public function testAnImageThatNoWorkerTakesIsRefusedWhereItIsMade(string $bytes, string $mediaType): void
    {
        $this->expectException(InvalidArgumentException::class);
        (new ToolContent())->image($bytes, $mediaType);
    }

    /** @return iterable<array{string, string}> */
    public static function images(): iterable
    {
        yield ['x', 'image/jpg'];
        yield ['', 'image/png'];
    }
}
