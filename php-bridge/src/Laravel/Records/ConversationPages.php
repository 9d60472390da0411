<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use Illuminate\Database\Eloquent\Builder;
use Illuminate\Database\Eloquent\Model;

/**
 * Pages of what changes while it is read: each begins after a row, not at a number.
 *
 * @internal
 */
final class ConversationPages
{
    /**
     * Returns the latest rows before a place, and the place before which the next page goes on.
     *
     * @template T of Model
     *
     * @param Builder<T> $query
     * @param string $time column by which they are ordered
     * @param string|null $before what an earlier page gave
     *
     * @return array{list<T>, string|null}
     */
    public static function latest(Builder $query, string $time, ?string $before, int $most): array
    {
        $place = self::read($before);
        if ($place !== null) {
            [$at, $id] = $place;
            $query->where(static fn (Builder $query) => $query->where($time, '<', $at)->orWhere(
                static fn (Builder $query) => $query->where($time, $at)->where('id', '<', $id),
            ));
        }
        $found = $query->orderByDesc($time)->orderByDesc('id')->limit($most + 1)->get();
        $rows = array_values($found->take($most)->all());
        $last = $found->count() > $most ? end($rows) : false;
        $next = static fn (Model $row): string
            => self::place(UtcTime::format($row->getAttribute($time)), (string) $row->getKey());

        return [$rows, $last === false ? null : $next($last)];
    }

    private static function place(string $at, string $id): string
    {
        return rtrim(strtr(base64_encode("$at $id"), '+/', '-_'), '=');
    }

    /** @return array{string, string}|null */
    private static function read(?string $place): ?array
    {
        $text = (string) base64_decode(strtr((string) $place, '-_', '+/'), true);
        $isPlace = preg_match('/^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) (.{1,191})$/Dsu', $text, $found) === 1;

        return $isPlace ? [$found[1], $found[2]] : null;
    }
}
