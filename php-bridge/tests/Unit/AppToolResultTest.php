<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Unit;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\ToolException;
use AgentWorkers\Run\AppToolResult;
use AgentWorkers\ToolContent;
use PHPUnit\Framework\TestCase;

final class AppToolResultTest extends TestCase
{
    /** @dataProvider iterators */
    public function testNoItemOfAnIteratorIsLost(\Traversable $items, string $json): void
    {
        self::assertSame($json, AppToolResult::of($items));
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

    /** @dataProvider unspeakable */
    public function testWhatJsonCannotSayIsAnErrorAndNoEmptyObject(mixed $result, string $why): void
    {
        try {
            $said = AppToolResult::of($result);
            self::fail("It was sent as $said.");
        } catch (ToolException $error) {
            self::assertStringContainsString($why, (string) $error->getPrevious()?->getMessage());
        }
    }

    /** @return iterable<string, array{mixed, string}> */
    public static function unspeakable(): iterable
    {
        $private = new class (1) {
            public function __construct(private int $hidden)
            {
            }
        };
        $endless = new \stdClass();
        $endless->self = $endless;
        yield 'an object without public properties' => [$private, 'no public properties'];
        yield 'one in an array' => [['partners' => [1, $private]], '/partners/1'];
        yield 'one in an object' => [(object) ['partner' => $private], '/partner'];
        yield 'one that another says of itself' => [self::saying(['partner' => $private]), '/partner'];
        yield 'one of an iterator' => [new \ArrayIterator([$private]), '/0'];
        yield 'a closure' => [static fn (): int => 1, 'Closure'];
        yield 'not a number' => [['x' => NAN], 'Inf and NaN'];
        yield 'a file' => [fopen('php://memory', 'r'), 'not supported'];
        yield 'what contains itself' => [$endless, 'nested too deeply'];
    }

    /** @dataProvider speakable */
    public function testWhatJsonCanSayIsSaid(mixed $result, string $said): void
    {
        self::assertSame($said, AppToolResult::of($result));
    }

    /** @return iterable<string, array{mixed, string}> */
    public static function speakable(): iterable
    {
        $stringable = new class () {
            public function __toString(): string
            {
                return 'Acme';
            }
        };
        $arrayable = new class () {
            /** @return array<string, mixed> */
            public function toArray(): array
            {
                return ['name' => 'Acme', 'sites' => []];
            }
        };
        yield 'an empty object that means it' => [new \stdClass(), '{}'];
        yield 'nothing' => [null, 'null'];
        yield 'a list' => [[1, 2.0, true], '[1,2.0,true]'];
        yield 'text in an array' => [['name' => $stringable], '{"name":"Acme"}'];
        yield 'objects in an array' => [[$arrayable], '[{"name":"Acme","sites":[]}]'];
        yield 'an object that says itself' => [self::saying(['a' => self::saying('b')]), '{"a":"b"}'];
        yield 'a text that says itself' => [self::saying('Acme'), 'Acme'];
        yield 'numbers as keys' => [(object) ['7' => 'x'], '{"7":"x"}'];
        $at = new \DateTimeImmutable('2026-01-02T03:04:05Z');
        yield 'a time' => [['at' => $at], '{"at":"2026-01-02T03:04:05.000+00:00"}'];
    }

    private static function saying(mixed $what): \JsonSerializable
    {
        return new class ($what) implements \JsonSerializable {
            public function __construct(private mixed $what)
            {
            }

            public function jsonSerialize(): mixed
            {
                return $this->what;
            }
        };
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
