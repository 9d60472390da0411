<?php

declare(strict_types=1);

namespace AgentWorkers\Gateway;

use AgentWorkers\Exception\InvalidArgumentException;

/** A key that signs tokens for `agent-workers gateway`, which has the same secret, or the public key. */
final class TokenKey
{
    public const ALGORITHMS = ['HS256', 'RS256', 'ES256', 'EdDSA'];
    private const SHORTEST = 32;
    private const SHORTEST_RSA_BITS = 2048;
    private const JSON = JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION;

    /** @var \Closure(string): string makes a signature */
    private readonly \Closure $sign;

    /**
     * @param string $kid its name among the gateway's keys
     * @param string $algorithm HS256, RS256, ES256 or EdDSA
     * @param string $key the secret, at least 32 bytes, as the gateway has it; or the private key as PEM
     *
     * @throws InvalidArgumentException it is too weak, or none of this algorithm
     */
    public function __construct(
        public readonly string $kid,
        public readonly string $algorithm,
        #[\SensitiveParameter] string $key,
    ) {
        $key = trim($key); // as the gateway reads it
        $this->sign = match (true) {
            $kid === '' => throw new InvalidArgumentException('A key of the gateway needs a name, its kid.'),
            $algorithm === 'HS256' => $this->shared($key),
            $algorithm === 'EdDSA' => $this->edwards($key),
            in_array($algorithm, self::ALGORITHMS, true) => $this->private($key),
            default => throw $this->unusable("names the algorithm \"$algorithm\", which is none of these: "
                . implode(', ', self::ALGORITHMS)),
        };
    }

    /** @return array<string, string> what dumps show: not the key */
    public function __debugInfo(): array
    {
        return ['kid' => $this->kid, 'algorithm' => $this->algorithm];
    }

    /**
     * Makes a JSON Web Token.
     *
     * @param array<string, mixed> $claims as docs/gateway.md has them
     */
    public function token(array $claims): string
    {
        $header = ['alg' => $this->algorithm, 'typ' => 'JWT', 'kid' => $this->kid];
        $signed = self::part(json_encode($header, self::JSON)) . '.' . self::part(json_encode($claims, self::JSON));

        return "$signed." . self::part(($this->sign)($signed));
    }

    private function shared(#[\SensitiveParameter] string $key): \Closure
    {
        if (strlen($key) < self::SHORTEST) {
            throw $this->unusable('has ' . strlen($key) . ' bytes. A secret has at least ' . self::SHORTEST
                . ' random ones; `openssl rand -hex 32` makes them');
        }

        return static fn (string $signed): string => hash_hmac('sha256', $signed, $key, true);
    }

    private function private(#[\SensitiveParameter] string $pem): \Closure
    {
        $key = openssl_pkey_get_private($pem);
        $details = $key === false ? false : openssl_pkey_get_details($key);
        if ($details === false) {
            throw $this->unusable("is no private key for $this->algorithm. Give it as PEM, without a passphrase");
        }
        $fits = $this->algorithm === 'RS256'
            ? $details['type'] === OPENSSL_KEYTYPE_RSA && $details['bits'] >= self::SHORTEST_RSA_BITS
            : $details['type'] === OPENSSL_KEYTYPE_EC && $details['ec']['curve_name'] === 'prime256v1';
        if (!$fits) {
            throw $this->unusable($this->algorithm === 'RS256'
                ? 'must be an RSA key of ' . self::SHORTEST_RSA_BITS . ' bits or more'
                : 'must be a key of the curve P-256');
        }

        return function (string $signed) use ($key): string {
            if (!openssl_sign($signed, $signature, $key, OPENSSL_ALGO_SHA256)) {
                throw $this->unusable('cannot sign');
            }

            return $this->algorithm === 'RS256' ? $signature : EllipticSignature::plain($signature);
        };
    }

    private function edwards(#[\SensitiveParameter] string $pem): \Closure
    {
        if (!function_exists('sodium_crypto_sign_detached')) {
            throw $this->unusable('needs the extension sodium of PHP, which is missing. Install it, or use ES256');
        }
        // RFC 8410: what stands before the 32 bytes is the same for each key.
        $form = '/^-----BEGIN PRIVATE KEY-----([\sA-Za-z0-9+\/=]+)-----END PRIVATE KEY-----$/';
        $isPem = preg_match($form, $pem, $found);
        $der = $isPem === 1 ? (string) base64_decode($found[1]) : '';
        if (strlen($der) !== 48 || !str_starts_with($der, (string) hex2bin('302e020100300506032b657004220420'))) {
            throw $this->unusable('is no private key for EdDSA. Make one by: openssl genpkey -algorithm ed25519');
        }
        $secret = sodium_crypto_sign_secretkey(sodium_crypto_sign_seed_keypair(substr($der, 16)));

        return static fn (string $signed): string => sodium_crypto_sign_detached($signed, $secret);
    }

    private function unusable(string $why): InvalidArgumentException
    {
        return new InvalidArgumentException("The key \"$this->kid\" of the gateway $why.");
    }

    private static function part(string $bytes): string
    {
        return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    }
}
