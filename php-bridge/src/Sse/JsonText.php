<?php

declare(strict_types=1);

namespace AgentWorkers\Sse;

/**
 * JSON as it stands in a frame: one line of printable ASCII, byte for byte what `agent-workers convert` writes.
 *
 * Characters outside of U+0020 to U+007E are escaped, `/` is not. A whole number that fits 64 bits keeps its digits,
 * any other number is written as JavaScript writes it (RFC 8785), and what no double holds is `null`. A name that
 * begins with NUL, which PHP cannot read, begins with U+FFFD instead.
 *
 * @internal
 */
final class JsonText
{
    private const MOST_DIGITS = 21;
    private const MOST_ZEROS = 6;
    private const DEPTH = 512;

    /** @param mixed $value what `decode` gives; arrays with names are objects, too */
    public static function of(mixed $value): string
    {
        return match (true) {
            is_string($value) => self::quoted($value),
            is_int($value) => (string) $value,
            is_float($value) => self::number($value),
            $value instanceof \stdClass => self::object(get_object_vars($value)),
            is_array($value) => array_is_list($value)
                ? '[' . implode(',', array_map(self::of(...), $value)) . ']'
                : self::object($value),
            default => json_encode($value, JSON_THROW_ON_ERROR),
        };
    }

    /** Reads a JSON object; as an object, because an array cannot tell `{}` from `[]`. */
    public static function decode(string $json): \stdClass
    {
        try {
            return json_decode($json, false, self::DEPTH, JSON_THROW_ON_ERROR);
        } catch (\JsonException $error) {
            if ($error->getCode() !== JSON_ERROR_INVALID_PROPERTY_NAME) {
                throw $error;
            }
        }
        // A quote that no backslash precedes opens or closes a text, and only a name is followed by a colon.
        $readable = preg_replace('/(?<!\\\\)"\\\\u0000((?>[^"\\\\]++|\\\\.)*+"\s*:)/', '"\\ufffd$1', $json);

        return json_decode((string) $readable, false, self::DEPTH, JSON_THROW_ON_ERROR);
    }

    /** @param array<array-key, mixed> $fields */
    private static function object(array $fields): string
    {
        $parts = [];
        foreach ($fields as $name => $value) {
            $parts[] = self::quoted((string) $name) . ':' . self::of($value);
        }

        return '{' . implode(',', $parts) . '}';
    }

    private static function quoted(string $text): string
    {
        $flags = JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR;

        return str_replace("\x7f", '\u007f', json_encode($text, $flags));
    }

    private static function number(float $value): string
    {
        if (!is_finite($value)) {
            return 'null';
        }
        [$mantissa, $power] = explode('e', self::shortest(abs($value))) + [1 => '0'];
        [$whole, $fraction] = explode('.', $mantissa) + [1 => ''];
        $digits = ltrim($whole . $fraction, '0');
        // The point stands after so many digits.
        $point = strlen($whole) + (int) $power - (strlen($whole . $fraction) - strlen($digits));
        $digits = rtrim($digits, '0');

        return $digits === '' ? '0' : ($value < 0 ? '-' : '') . self::set($digits, $point);
    }

    /** Returns the fewest digits that tell this number from all others, whatever php.ini says. */
    private static function shortest(float $value): string
    {
        $kept = ini_set('serialize_precision', '-1');
        try {
            return json_encode($value, JSON_THROW_ON_ERROR);
        } finally {
            if ($kept !== false) {
                ini_set('serialize_precision', $kept);
            }
        }
    }

    private static function set(string $digits, int $point): string
    {
        $count = strlen($digits);
        if ($count <= $point && $point <= self::MOST_DIGITS) {
            return $digits . str_repeat('0', $point - $count);
        }
        if (0 < $point && $point <= self::MOST_DIGITS) {
            return substr($digits, 0, $point) . '.' . substr($digits, $point);
        }
        if (-self::MOST_ZEROS < $point && $point <= 0) {
            return '0.' . str_repeat('0', -$point) . $digits;
        }
        $mantissa = $count === 1 ? $digits : $digits[0] . '.' . substr($digits, 1);

        return $mantissa . 'e' . sprintf('%+d', $point - 1);
    }
}
