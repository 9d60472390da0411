<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Unit;

use PHPUnit\Framework\TestCase;

final class LayersTest extends TestCase
{
    private const SOURCE = __DIR__ . '/../../src';

    /**
     * @dataProvider layers
     *
     * @param string $folder below src
     * @param string $pattern what its files must not name
     */
    public function testAFolderKnowsNothingOfThoseAboveIt(string $folder, string $pattern): void
    {
        $files = self::filesIn($folder);
        self::assertNotEmpty($files);
        foreach ($files as $file) {
            self::assertDoesNotMatchRegularExpression($pattern, (string) file_get_contents($file), $file);
        }
    }

    /** @return iterable<string, array{string, string}> */
    public static function layers(): iterable
    {
        yield 'bytes know no events' => ['Process', '/^use AgentWorkers\\\\(?!Process\\\\|Exception\\\\)/m'];
        yield 'events know no runs' => ['Event', '/^use AgentWorkers\\\\(?!Event\\\\|Exception\\\\)/m'];
        yield 'a run knows no browser' => ['Run', '/^use AgentWorkers\\\\(Sse|Testing|Laravel)\\\\/m'];
        yield 'a browser needs no framework' => ['Sse', '/^use (AgentWorkers\\\\(Testing|Laravel)|Illuminate)\\\\/m'];
        yield 'a fake needs no framework' => ['Testing', '/^use (AgentWorkers\\\\Laravel|Illuminate)\\\\/m'];
    }

    /** @return list<string> */
    private static function filesIn(string $folder): array
    {
        $all = new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator(self::SOURCE . "/$folder"));
        $php = new \RegexIterator($all, '/\.php$/');

        return array_map(strval(...), array_values(iterator_to_array($php)));
    }
}
