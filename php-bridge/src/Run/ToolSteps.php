<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

use AgentWorkers\Event\AppToolCall;
use AgentWorkers\Exception\ToolException;
use AgentWorkers\Progress;

/**
 * Runs a handler of the application step by step: it yields what the handler prints, and returns what it returns.
 *
 * @internal
 */
final class ToolSteps
{
    /** The bytes of a character of which the rest is still to come. */
    private const UNFINISHED = '~(?:[\xC2-\xDF]|[\xE0-\xEF][\x80-\xBF]?|[\xF0-\xF4][\x80-\xBF]{0,2})$~D';

    /**
     * @return \Generator<int, string, mixed, mixed>
     *
     * @throws \Throwable what the handler throws
     */
    public static function of(\Closure $handler, AppToolCall $call): \Generator
    {
        $steps = self::pieces($handler, $call);
        $begun = '';
        foreach ($steps as $piece) {
            // A handler that copies from a pipe cuts characters, and half a character is none.
            $text = $begun . $piece;
            $begun = preg_match(self::UNFINISHED, substr($text, -3), $found) === 1 ? $found[0] : '';
            $text = substr($text, 0, strlen($text) - strlen($begun));
            if ($text !== '') {
                yield $text;
            }
        }
        if ($begun !== '') {
            yield $begun;
        }

        return $steps->getReturn();
    }

    /** @return \Generator<int, string, mixed, mixed> */
    private static function pieces(\Closure $handler, AppToolCall $call): \Generator
    {
        $parameters = new \ReflectionFunction($handler);
        $result = self::takesProgress($parameters)
            ? yield from self::withProgress($handler, $parameters, $call)
            : $handler($call->input, ...self::extras($parameters, $call, null));

        return $result instanceof \Generator ? yield from self::printed($result) : $result;
    }

    /** Whether it has a parameter for its progress, besides the first one, which is the input's. */
    public static function takesProgress(\ReflectionFunctionAbstract $handler): bool
    {
        return self::parameter($handler, Progress::class, 'progress') !== null;
    }

    /** @return array<string, mixed> what the handler has parameters for besides the input, by their names */
    public static function extras(\ReflectionFunctionAbstract $handler, AppToolCall $call, ?Progress $progress): array
    {
        $arguments = [];
        $offered = [[Progress::class, 'progress', $progress], [AppToolCall::class, 'call', $call]];
        foreach ($offered as [$type, $name, $value]) {
            $parameter = self::parameter($handler, $type, $name);
            $arguments += $parameter === null ? [] : [$parameter => $value];
        }

        return $arguments;
    }

    /** The name of the parameter of this type, or of this name and no type. */
    private static function parameter(\ReflectionFunctionAbstract $handler, string $type, string $name): ?string
    {
        foreach (array_slice($handler->getParameters(), 1) as $parameter) {
            $own = $parameter->getType();
            $isMeant = $own instanceof \ReflectionNamedType && !$own->isBuiltin()
                ? $own->getName() === $type
                : $own === null && $parameter->getName() === $name;
            if ($isMeant && !$parameter->isVariadic()) {
                return $parameter->getName();
            }
        }

        return null;
    }

    /**
     * A fiber, because the handler calls write() wherever it likes, and what it writes is to be seen while it runs.
     *
     * @return \Generator<int, string, mixed, mixed>
     */
    private static function withProgress(
        \Closure $handler,
        \ReflectionFunction $parameters,
        AppToolCall $call,
    ): \Generator {
        $late = '';
        $print = static function (string $text) use (&$fiber, &$late): void {
            if (\Fiber::getCurrent() === $fiber) {
                \Fiber::suspend($text);
            } else {
                $late .= $text; // written within a fiber of the handler's own, which is not ours to suspend
            }
        };
        $extras = self::extras($parameters, $call, new Progress($print));
        $fiber = new \Fiber(static fn (): mixed => $handler($call->input, ...$extras));
        for ($text = $fiber->start(); !$fiber->isTerminated(); $text = $fiber->resume()) {
            yield self::taken($late) . $text;
        }
        if ($late !== '') {
            yield self::taken($late);
        }

        return $fiber->getReturn();
    }

    private static function taken(string &$text): string
    {
        [$taken, $text] = [$text, ''];

        return $taken;
    }

    /**
     * What a generator yields as text is printed, and what it returns is its result. If it returns nothing, what it has
     * yielded is the result, too.
     *
     * @param \Generator<mixed> $generator
     *
     * @return \Generator<int, string, mixed, mixed>
     */
    private static function printed(\Generator $generator): \Generator
    {
        $items = [];
        $bytes = 0;
        foreach ($generator as $key => $item) {
            $bytes += is_string($item) ? strlen($item) : 0;
            $items[] = [$key, $item];
            $items = $bytes > AppToolResult::MAX_BYTES ? [] : $items;
            if (is_string($item) && $item !== '') {
                yield $item;
            }
        }
        $returned = $generator->getReturn();
        if ($returned !== null) {
            return $returned instanceof Returned ? $returned->value : $returned;
        }
        if ($bytes > AppToolResult::MAX_BYTES) {
            throw new ToolException('The result is too large. The limit is 32 MB.');
        }

        return AppToolResult::collected((static function () use ($items): \Generator {
            foreach ($items as [$key, $item]) {
                yield $key => $item;
            }
        })());
    }
}
