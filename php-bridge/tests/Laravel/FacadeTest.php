<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Laravel\Agents;
use AgentWorkers\Laravel\Facades\Agent;

final class FacadeTest extends TestCase
{
    public function testItsDocblockTellsEveryMethodAsItIs(): void
    {
        $documented = (string) (new \ReflectionClass(Agent::class))->getDocComment();
        preg_match_all('/^ \* (@method .*)$/m', $documented, $lines);
        self::assertSame(self::expected(), $lines[1]);
    }

    /** @return list<string> */
    public static function expected(): array
    {
        $lines = [];
        foreach ((new \ReflectionClass(Agents::class))->getMethods(\ReflectionMethod::IS_PUBLIC) as $method) {
            $isInternal = str_contains((string) $method->getDocComment(), '@internal');
            if (!$isInternal && !$method->isConstructor()) {
                $parameters = implode(', ', array_map(self::parameter(...), $method->getParameters()));
                $lines[] = '@method static ' . self::type($method->getReturnType()) . " {$method->name}($parameters)";
            }
        }

        return $lines;
    }

    private static function parameter(\ReflectionParameter $parameter): string
    {
        $name = ($parameter->isVariadic() ? '...' : '') . "\${$parameter->name}";
        $default = $parameter->isDefaultValueAvailable() ? $parameter->getDefaultValue() : false;
        $written = match (true) {
            $default === false => '',
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
