<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Unit;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Gateway\EllipticSignature;
use AgentWorkers\Gateway\TokenKey;
use AgentWorkers\Gateway\WebhookSecrets;
use PHPUnit\Framework\TestCase;

/** tests/gateway/test_php_tokens.py has the gateway check what these keys sign. */
final class TokenKeyTest extends TestCase
{
    private const SECRET = '0123456789abcdef0123456789abcdef';

    public function testATokenNamesItsKeyAndAlgorithm(): void
    {
        $token = (new TokenKey('main', 'HS256', self::SECRET . "\n"))->token(['sub' => 'Jürgen/7', 'exp' => 1]);
        [$header, $claims, $signature] = explode('.', $token);
        self::assertSame('{"alg":"HS256","typ":"JWT","kid":"main"}', base64_decode($header));
        self::assertSame(['sub' => 'Jürgen/7', 'exp' => 1], json_decode(base64_decode($claims), true));
        $mac = base64_encode(hash_hmac('sha256', "$header.$claims", self::SECRET, true));
        self::assertSame(rtrim(strtr($mac, '+/', '-_'), '='), $signature);
    }

    /** @dataProvider weakKeys */
    public function testAWeakOrWrongKeyIsRefusedAndNotShown(string $algorithm, string $key, string $why): void
    {
        try {
            new TokenKey('main', $algorithm, $key);
            self::fail('It was taken.');
        } catch (InvalidArgumentException $refused) {
            self::assertStringContainsString($why, $refused->getMessage());
            self::assertTrue($key === '' || !str_contains($refused->getMessage(), $key));
        }
    }

    /** @return iterable<string, array{string, string, string}> */
    public static function weakKeys(): iterable
    {
        yield 'a short secret' => ['HS256', substr(self::SECRET, 1), '31 bytes'];
        yield 'a secret that is mostly white space' => ['HS256', str_pad('short', 40), '5 bytes'];
        yield 'a short RSA key' => ['RS256', self::pem(['private_key_bits' => 1024]), '2048'];
        yield 'another kind of key' => ['RS256', self::curve('prime256v1'), '2048'];
        yield 'another curve' => ['ES256', self::curve('secp384r1'), 'P-256'];
        yield 'a secret in the place of a key' => ['ES256', self::SECRET, 'no private key'];
        yield 'another key for EdDSA' => ['EdDSA', self::curve('prime256v1'), 'ed25519'];
        yield 'no algorithm' => ['none', self::SECRET, 'none of these'];
        yield 'another algorithm' => ['HS512', self::SECRET, 'none of these'];
    }

    public function testNoDumpShowsTheKey(): void
    {
        ob_start();
        var_dump($key = new TokenKey('main', 'HS256', self::SECRET));
        var_dump(new WebhookSecrets(['whsec_' . base64_encode(self::SECRET)]));
        $dump = ob_get_clean() . print_r($key, true);
        self::assertStringContainsString('main', $dump);
        self::assertStringNotContainsString(self::SECRET, $dump);
    }

    public function testNumbersOfASignatureAreAsLongAsTheCurve(): void
    {
        $der = "\x30\x45\x02\x21\x00" . str_repeat("\xff", 32) . "\x02\x20" . str_repeat("\x11", 32);
        self::assertSame(str_repeat("\xff", 32) . str_repeat("\x11", 32), EllipticSignature::plain($der));
        $short = "\x30\x07\x02\x02\x01\x02\x02\x01\x03";
        self::assertSame(
            str_repeat("\0", 30) . "\x01\x02" . str_repeat("\0", 31) . "\x03",
            EllipticSignature::plain($short),
        );
    }

    private static function curve(string $name): string
    {
        return self::pem(['private_key_type' => OPENSSL_KEYTYPE_EC, 'curve_name' => $name]);
    }

    /** @param array<string, mixed> $options */
    private static function pem(array $options): string
    {
        openssl_pkey_export(openssl_pkey_new($options), $pem);

        return $pem;
    }
}
