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
     * @param string $pattern what its files must not name, imported or in full
     */
    public function testAFolderKnowsNothingOfThoseAboveIt(string $folder, string $pattern): void
    {
        $files = self::filesIn($folder);
        self::assertNotEmpty($files);
        foreach ($files as $file) {
            self::assertSame([], preg_grep($pattern, self::namesIn($file)), $file);
        }
    }

    /** @return iterable<string, array{string, string}> */
    public static function layers(): iterable
    {
        yield 'bytes know no events' => ['Process', '/^AgentWorkers\\\\(?!Process\\\\|Exception\\\\)/'];
        yield 'events know no runs' => ['Event', '/^AgentWorkers\\\\(?!Event\\\\|Exception\\\\)/'];
        yield 'a run knows no browser' => ['Run', '/^AgentWorkers\\\\(Sse|Testing|Laravel)\\\\/'];
        yield 'a browser needs no framework' => ['Sse', '/^(AgentWorkers\\\\(Testing|Laravel)|Illuminate)\\\\/'];
        yield 'a batch needs neither a browser nor a framework' => [
            'Batch',
            '/^(AgentWorkers\\\\(Sse|Testing|Laravel)|Illuminate)\\\\/',
        ];
        yield 'a fleet needs neither a browser nor a framework' => [
            'Fleet',
            '/^(AgentWorkers\\\\(Sse|Testing|Laravel)|Illuminate)\\\\/',
        ];
        yield 'what the gateway signs and checks needs neither a browser nor a framework' => [
            'Gateway',
            '/^(AgentWorkers\\\\(Sse|Testing|Laravel)|Illuminate)\\\\/',
        ];
        yield 'a command needs no framework' => ['Command', '/^(AgentWorkers\\\\(Testing|Laravel)|Illuminate)\\\\/'];
        yield 'a fake needs no framework' => ['Testing', '/^(AgentWorkers\\\\Laravel|Illuminate)\\\\/'];
    }

    /** @return list<string> all that a file names by more than one word, but for its own namespace */
    private static function namesIn(string $file): array
    {
        $code = (string) preg_replace('/^namespace .*;$/m', '', (string) file_get_contents($file));
        $names = array_filter(
            \PhpToken::tokenize($code),
            static fn (\PhpToken $token): bool => $token->is([T_NAME_QUALIFIED, T_NAME_FULLY_QUALIFIED]),
        );

        return array_map(static fn (\PhpToken $name): string => ltrim($name->text, '\\'), array_values($names));
    }

    /** @return list<string> */
    private static function filesIn(string $folder): array
    {
        $all = new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator(self::SOURCE . "/$folder"));
        $php = new \RegexIterator($all, '/\.php$/');

        return array_map(strval(...), array_values(iterator_to_array($php)));
    }
}
