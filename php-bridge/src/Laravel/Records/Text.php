<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use Illuminate\Contracts\Database\Eloquent\CastsAttributes;
use Illuminate\Contracts\Encryption\DecryptException;
use Illuminate\Support\Facades\Crypt;

/**
 * Plain text of the records, such as titles, encrypted where that is switched on.
 *
 * @internal
 */
final class Text implements CastsAttributes
{
    /** Bytes of a text whose ciphertext fits where 255 characters do. */
    private const SHORT = 31;

    public static function sealed(string $text): string
    {
        return Crypt::encryptString($text);
    }

    public static function sealedShort(string $text): string
    {
        return self::sealed(rtrim(mb_strcut($text, 0, self::SHORT, 'UTF-8')));
    }

    public static function opened(string $text): string
    {
        try {
            return Crypt::decryptString($text);
        } catch (DecryptException) {
            return $text; // from before it was switched on
        }
    }

    /**
     * @param \Illuminate\Database\Eloquent\Model $model
     * @param string $key
     * @param mixed $value
     * @param array<string, mixed> $attributes
     */
    public function get($model, $key, $value, $attributes): ?string
    {
        return $value === null ? null : self::opened((string) $value);
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
            !app(Settings::class)->isEncrypted() => (string) $value,
            $key === 'title' => self::sealedShort((string) $value),
            default => self::sealed((string) $value),
        };
    }
}
