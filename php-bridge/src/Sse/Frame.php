<?php

declare(strict_types=1);

namespace AgentWorkers\Sse;

/**
 * Writes server-sent events so that no value can end a line or a frame early.
 *
 * @internal
 */
final class Frame
{
    /** @param string $json one JSON document: there, bare line breaks are mere white space */
    public static function of(string $event, string $json, ?string $id = null): string
    {
        $first = $id === null ? '' : 'id: ' . self::word($id) . "\n";
        $data = str_replace(["\r", "\n", "\0"], [' ', ' ', ''], $json);

        return $first . 'event: ' . self::word($event) . "\ndata: $data\n\n";
    }

    public static function comment(string $text): string
    {
        return ': ' . self::word($text) . "\n\n";
    }

    private static function word(string $text): string
    {
        return str_replace(["\r", "\n", "\0"], '', $text);
    }
}
