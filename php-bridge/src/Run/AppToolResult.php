<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

use AgentWorkers\Exception\ToolException;
use AgentWorkers\ToolContent;

/**
 * Turns what a tool of the application returned into the content of an `app_tool_result`.
 *
 * @internal
 */
final class AppToolResult
{
    /** The longest line that a worker reads, less some room for the rest of the message. */
    public const MAX_BYTES = (32 << 20) - 4096;

    /** What the model is told of a result that cannot be sent. */
    public const REFUSED = 'The tool gave a result that cannot be sent.';

    private const TEXT = JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE
        | JSON_PRESERVE_ZERO_FRACTION;
    private const LONGEST_ESCAPE = 6;
    private const DEEPEST = 500;

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
            throw new ToolException(self::REFUSED, 0, $error);
        }
        if ($bytes > self::MAX_BYTES) {
            throw new ToolException(
                sprintf('The result is too large: %.0f MB. The limit is 32 MB.', ceil($bytes / 1e6)),
            );
        }

        return $content;
    }

    /** A value that JSON would write as a string becomes that string. */
    private static function text(mixed $result): string
    {
        $plain = is_string($result) ? $result : self::plain($result);

        return is_string($plain) ? $plain : json_encode($plain, self::TEXT);
    }

    /**
     * Converts a value to what JSON can express, at any depth. JSON would write an object without public properties as
     * `{}`, which the model would take for an answer.
     *
     * @throws \JsonException JSON cannot express the value
     */
    private static function plain(mixed $value, string $place = '', int $depth = 0): mixed
    {
        if ($depth > self::DEEPEST) {
            throw new \JsonException(sprintf(
                'The result is nested too deeply. Return fewer than %d levels; it has more at %s.',
                self::DEEPEST,
                $place,
            ));
        }
        $items = match (true) {
            is_array($value), $value instanceof \stdClass => $value,
            !is_object($value), $value instanceof \UnitEnum, $value instanceof \DateTimeInterface => null,
            $value instanceof \Stringable && !$value instanceof \JsonSerializable => (string) $value,
            $value instanceof \JsonSerializable => $value->jsonSerialize(),
            $value instanceof \Traversable => self::collected($value),
            is_callable([$value, 'toArray']) => $value->toArray(),
            default => (object) (get_object_vars($value) ?: throw self::inexpressible($value, $place)),
        };
        if ($items === null) {
            return $value instanceof \DateTimeInterface && !$value instanceof \JsonSerializable
                ? $value->format(\DateTimeInterface::RFC3339_EXTENDED)
                : $value;
        }
        if (!is_array($items) && !$items instanceof \stdClass) {
            return $items === $value ? $items : self::plain($items, $place, $depth + 1);
        }
        $plain = [];
        foreach ((array) $items as $key => $item) {
            $plain[$key] = self::plain($item, "$place/$key", $depth + 1);
        }

        return is_array($items) ? $plain : (object) $plain;
    }

    private static function inexpressible(object $value, string $place): \JsonException
    {
        return new \JsonException(sprintf(
            'The %s%s cannot be written as JSON: it has no public properties. Return an array or a string, or '
                . 'implement JsonSerializable.',
            get_debug_type($value),
            $place === '' ? '' : " at $place",
        ));
    }

    /**
     * Returns the items by their keys, or as a list if keys are repeated, as a generator may do.
     *
     * @param \Traversable<mixed> $items
     *
     * @return array<mixed>
     */
    public static function collected(\Traversable $items): array
    {
        $list = $map = [];
        foreach ($items as $key => $item) {
            $list[] = $item;
            $map[is_int($key) || is_string($key) ? $key : 0] = $item;
        }

        return count($list) === count($map) ? $map : $list;
    }

    /**
     * @param string|list<array<string, mixed>> $content
     *
     * @throws \JsonException it is not UTF-8
     */
    private static function bytes(string|array $content): int
    {
        if (is_string($content) && strlen($content) * self::LONGEST_ESCAPE < self::MAX_BYTES) {
            return preg_match('//u', $content) === 1
                ? strlen($content)
                : throw new \JsonException('The text is not valid UTF-8.');
        }

        return strlen(json_encode($content, JSON_THROW_ON_ERROR));
    }
}
