<?php

declare(strict_types=1);

namespace AgentWorkers\Worker;

use AgentWorkers\Exception\ToolException;
use AgentWorkers\ToolContent;

/**
 * What a tool of the application has returned, as the worker takes it.
 *
 * @internal
 */
final class ToolOutput
{
    /** What a worker takes in a line, with room for the rest of the message. */
    public const MAX_BYTES = (32 << 20) - 4096;

    private const TEXT = JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE
        | JSON_PRESERVE_ZERO_FRACTION;
    private const LONGEST_ESCAPE = 6;

    /**
     * @return string|list<array<string, mixed>>
     *
     * @throws ToolException it cannot be sent
     */
    public static function of(mixed $result): string|array
    {
        try {
            $content = $result instanceof ToolContent ? $result->blocks : self::text($result);
            $bytes = self::bytes($content);
        } catch (\JsonException $error) {
            throw new ToolException('The tool gave a result that cannot be sent.', 0, $error);
        }
        if ($bytes > self::MAX_BYTES) {
            throw new ToolException(sprintf('The result is too large: %.0f MB.', ceil($bytes / 1e6)));
        }

        return $content;
    }

    private static function text(mixed $result): string
    {
        return match (true) {
            is_string($result) => $result,
            $result instanceof \JsonSerializable => self::json($result),
            $result instanceof \Stringable => (string) $result,
            $result instanceof \Traversable => self::json(self::collected($result)),
            is_object($result) && is_callable([$result, 'toArray']) => self::json($result->toArray()),
            default => self::json($result),
        };
    }

    /**
     * The items by their keys, or as a list where keys are repeated, as a generator's of several sources may be.
     *
     * @param \Traversable<mixed> $items
     *
     * @return array<mixed>
     */
    private static function collected(\Traversable $items): array
    {
        $list = $map = [];
        foreach ($items as $key => $item) {
            $list[] = $item;
            $map[is_int($key) || is_string($key) ? $key : 0] = $item;
        }

        return count($list) === count($map) ? $map : $list;
    }

    /** A value that JSON says as a string is that string. */
    private static function json(mixed $value): string
    {
        $json = json_encode($value, self::TEXT);

        return str_starts_with($json, '"') ? json_decode($json) : $json;
    }

    /**
     * @param string|list<array<string, mixed>> $content
     *
     * @throws \JsonException it is no UTF-8
     */
    private static function bytes(string|array $content): int
    {
        if (is_string($content) && strlen($content) * self::LONGEST_ESCAPE < self::MAX_BYTES) {
            return preg_match('//u', $content) === 1
                ? strlen($content)
                : throw new \JsonException('Malformed UTF-8 characters, possibly incorrectly encoded');
        }

        return strlen(json_encode($content, JSON_THROW_ON_ERROR));
    }
}
