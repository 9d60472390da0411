<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use Illuminate\Contracts\Database\Eloquent\CastsAttributes;
use Illuminate\Contracts\Encryption\DecryptException;
use Illuminate\Support\Facades\Crypt;

/**
 * JSON of the records, encrypted with the application's key where that is switched on. What was written before is read
 * as it is.
 *
 * @internal
 */
final class Content implements CastsAttributes
{
    private const FIELD = 'encrypted';
    private const FLAGS = JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES
        | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PRESERVE_ZERO_FRACTION;

    public static function json(mixed $value): string
    {
        return json_encode($value, self::FLAGS);
    }

    /** @return string JSON, which the database's own type takes */
    public static function sealed(mixed $value): string
    {
        return self::json([self::FIELD => Crypt::encryptString(self::json($value))]);
    }

    public static function opened(string $json): mixed
    {
        $value = json_decode($json, true);
        $sealed = is_array($value) && array_keys($value) === [self::FIELD] ? $value[self::FIELD] : null;
        if (!is_string($sealed)) {
            return $value;
        }
        try {
            return json_decode(Crypt::decryptString($sealed), true);
        } catch (DecryptException) {
            return $value; // somebody's own field of that name
        }
    }

    /**
     * @param \Illuminate\Database\Eloquent\Model $model
     * @param string $key
     * @param mixed $value
     * @param array<string, mixed> $attributes
     */
    public function get($model, $key, $value, $attributes): mixed
    {
        return is_string($value) ? self::opened($value) : $value;
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
            app(Settings::class)->isEncrypted() => self::sealed($value),
            default => self::json($value),
        };
    }
}
