<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use Carbon\CarbonImmutable;
use Carbon\CarbonInterface;
use Illuminate\Contracts\Database\Eloquent\CastsAttributes;

/**
 * Times of the records, which are in UTC whatever the application's time zone is.
 *
 * @internal
 */
final class UtcTime implements CastsAttributes
{
    private const FORMAT = 'Y-m-d H:i:s.v';
    private const EVENT = '/^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z?$/D';

    public static function now(): string
    {
        return self::format(CarbonImmutable::now());
    }

    /** Returns the time of an event as the database has it; null where it is none. */
    public static function of(string $ts): ?string
    {
        return preg_match(self::EVENT, $ts, $at) === 1
            ? "$at[1] $at[2]." . str_pad(substr($at[3] ?? '', 0, 3), 3, '0')
            : null;
    }

    public static function format(\DateTimeInterface $time): string
    {
        return CarbonImmutable::instance($time)->setTimezone('UTC')->format(self::FORMAT);
    }

    /**
     * @param \Illuminate\Database\Eloquent\Model $model
     * @param string $key
     * @param mixed $value
     * @param array<string, mixed> $attributes
     */
    public function get($model, $key, $value, $attributes): ?CarbonInterface
    {
        return $value === null ? null : CarbonImmutable::parse((string) $value, 'UTC');
    }

    /**
     * @param \Illuminate\Database\Eloquent\Model $model
     * @param string $key
     * @param mixed $value
     * @param array<string, mixed> $attributes
     */
    public function set($model, $key, $value, $attributes): ?string
    {
        return match (true) {
            $value === null => null,
            $value instanceof \DateTimeInterface => self::format($value),
            default => self::format(CarbonImmutable::parse((string) $value, 'UTC')),
        };
    }
}
