<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Event\PermissionRequest;
use AgentWorkers\Laravel\Agents;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Testing\FakeRunner;
use AgentWorkers\Testing\Script;
use PHPUnit\Framework\AssertionFailedError;

final class FacadeTest extends TestCase
{
    /** Of its traits: their signatures are another in each version. */
    private const OF_LARAVEL = ['macro', 'mixin', 'hasMacro', 'when', 'unless', 'tap'];

    public function testItsDocblockTellsEveryMethodAsItIs(): void
    {
        $documented = (string) (new \ReflectionClass(Agent::class))->getDocComment();
        preg_match_all('/^ \* (@method .*)$/m', $documented, $lines);
        $ofLaravel = array_splice($lines[1], -count(self::OF_LARAVEL));
        self::assertSame(self::expected(), $lines[1]);
        self::assertSame(self::OF_LARAVEL, array_map(static fn (string $line): string
            => preg_replace('/^@method static \S+ (\w+)\(.*$/', '$1', $line), $ofLaravel));
        self::assertSame(self::OF_LARAVEL, array_filter(self::OF_LARAVEL, static fn (string $method): bool
            => method_exists(Agents::class, $method)));
    }

    public function testItAssertsWhatTheFakeAsserts(): void
    {
        Agent::fake(Script::text('Done.')->asking('Bash')->asking('Write'));
        Agent::task('Tidy up.', '/')
            ->onPermission(static fn (PermissionRequest $question): bool => $question->name === 'Bash')
            ->run();
        Agent::assertAllowed('Bash');
        Agent::assertDenied(tool: 'Write');
        $this->expectException(AssertionFailedError::class);
        Agent::assertAborted();
    }

    public function testItHasNothingElseOfTheFake(): void
    {
        Agent::fake('Done.');
        $this->expectException(\BadMethodCallException::class);
        Agent::requests();
    }

    /** @return list<string> */
    public static function expected(): array
    {
        return [...self::linesOf(Agents::class, ''), ...self::linesOf(FakeRunner::class, 'assert')];
    }

    /**
     * @param class-string $class
     *
     * @return list<string>
     */
    private static function linesOf(string $class, string $prefix): array
    {
        $lines = [];
        foreach ((new \ReflectionClass($class))->getMethods(\ReflectionMethod::IS_PUBLIC) as $method) {
            $isInternal = str_contains((string) $method->getDocComment(), '@internal');
            $isOwn = $method->getFileName() === (new \ReflectionClass($class))->getFileName();
            if ($isOwn && !$isInternal && !$method->isConstructor() && str_starts_with($method->name, $prefix)) {
                $parameters = implode(', ', array_map(self::parameter(...), $method->getParameters()));
                $lines[] = '@method static ' . self::type($method->getReturnType()) . " {$method->name}($parameters)";
            }
        }

        return $lines;
    }

    private static function parameter(\ReflectionParameter $parameter): string
    {
        $name = ($parameter->isVariadic() ? '...' : '') . "\${$parameter->name}";
        $default = $parameter->isDefaultValueAvailable() ? $parameter->getDefaultValue() : null;
        $written = match (true) {
            !$parameter->isDefaultValueAvailable() => '',
            $default === false => ' = false',
            $default === null => ' = null',
            $default === [] => ' = []',
            default => " = '$default'",
        };

        return self::type($parameter->getType()) . " $name$written";
    }

    private static function type(?\ReflectionType $type): string
    {
        return preg_replace_callback(
            '/[A-Za-z]+(?:\\\\[A-Za-z]+)+/',
            static fn (array $class): string => substr($class[0], strrpos($class[0], '\\') + 1),
            preg_replace('/\b(Closure|stdClass)\b/', '\\\\$1', (string) $type),
        );
    }
}
