<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Sse;

/** Reads a stream as the HTML standard says that browsers do. */
final class EventSource
{
    /** @return list<array{event: string, data: string, id: string}> what is dispatched to listeners */
    public static function dispatched(string $stream): array
    {
        $dispatched = [];
        $id = $event = '';
        $data = [];
        foreach (explode("\n", str_replace(["\r\n", "\r"], "\n", $stream)) as $line) {
            if ($line === '') {
                if ($data !== []) {
                    $dispatched[] = ['event' => $event ?: 'message', 'data' => implode("\n", $data), 'id' => $id];
                }
                [$event, $data] = ['', []];
                continue;
            }
            [$field, $value] = [...explode(':', $line, 2), ''];
            $value = str_starts_with($value, ' ') ? substr($value, 1) : $value;
            match ($field) {
                'event' => $event = $value,
                'data' => $data[] = $value,
                'id' => $id = str_contains($value, "\0") ? $id : $value,
                default => null,
            };
        }

        return $dispatched;
    }
}
