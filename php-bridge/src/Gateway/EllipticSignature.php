<?php

declare(strict_types=1);

namespace AgentWorkers\Gateway;

/**
 * Signatures of P-256: OpenSSL writes them in ASN.1, JSON Web Tokens want both numbers one after the other.
 *
 * @internal
 */
final class EllipticSignature
{
    private const BYTES = 32;

    /** @param string $der SEQUENCE of two INTEGERs, each at most 33 bytes */
    public static function plain(string $der): string
    {
        $first = 4;
        $firstLength = ord($der[$first - 1]);
        $second = $first + $firstLength + 2;

        return self::number(substr($der, $first, $firstLength)) . self::number(substr($der, $second));
    }

    private static function number(string $bytes): string
    {
        return str_pad(ltrim($bytes, "\0"), self::BYTES, "\0", STR_PAD_LEFT);
    }
}
