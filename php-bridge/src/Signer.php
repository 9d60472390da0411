<?php

declare(strict_types=1);

namespace AgentWorkers;

use AgentWorkers\Exception\InvalidArgumentException;

/**
 * Signs what a person decided, in the form that `agent-workers verify --key` checks and docs/transcripts.md describes.
 * Only who has the key can make such a signature; the workers need none.
 */
final class Signer
{
    private const SHORTEST = 32;
    private const BASE64 = 'base64:';
    private const NOTHING = '-';
    private const JSON = JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION
        | JSON_INVALID_UTF8_SUBSTITUTE;

    private readonly string $key;

    /**
     * @param string $key at least 32 bytes, as they are or in base64 after `base64:`
     *
     * @throws InvalidArgumentException it is none
     */
    public function __construct(#[\SensitiveParameter] string $key)
    {
        $isEncoded = str_starts_with($key, self::BASE64);
        $bytes = $isEncoded ? base64_decode(substr($key, strlen(self::BASE64)), true) : $key;
        if ($bytes === false || strlen($bytes) < self::SHORTEST) {
            throw new InvalidArgumentException(
                'A signing key has at least 32 bytes, as they are or in base64 after "base64:". Make one by: echo '
                    . '"base64:$(openssl rand -base64 32)"',
            );
        }
        $this->key = $bytes;
    }

    /** What the key is called in signatures. */
    public function keyId(): string
    {
        return substr(hash('sha256', $this->key), 0, 8);
    }

    /** Signs a decision that names its actor. */
    public function decision(Shown $shown, Decision $decision, ?int $time = null): string
    {
        $given = $decision->updatedInput ?? $decision->answers;

        return $this->sign('permission', $shown, $decision->behavior, $given, $decision->actor, $time);
    }

    /** @param array<array-key, string|list<string>> $answers by the text of the question */
    public function answers(Shown $shown, array $answers, ?string $actor = null, ?int $time = null): string
    {
        return $this->sign('answer', $shown, 'answer', $answers, $actor, $time);
    }

    /** @param array<array-key, mixed>|null $given */
    private function sign(
        string $type,
        Shown $shown,
        string $behavior,
        ?array $given,
        ?string $actor,
        ?int $time,
    ): string {
        $actor ??= '';
        $statement = [
            'actor' => $actor,
            'behavior' => $behavior,
            'given' => $given === null ? self::NOTHING : hash('sha256', self::canonical((object) self::sorted($given))),
            'id' => $shown->id,
            'key' => $this->keyId(),
            'run' => $shown->run,
            'shown' => $shown->sha256,
            'time' => (string) ($time ?? time()),
            'tool' => $shown->tool,
            'tool_use_id' => $shown->toolUseId,
            'type' => $type,
            'v' => '1',
        ];
        $mac = hash_hmac('sha256', self::canonical($statement), $this->key);
        $named = $actor === '' ? self::NOTHING : substr(hash('sha256', $actor), 0, 16);

        return "v1={$statement['key']}:{$statement['time']}:$shown->sha256:{$statement['given']}:$named:$mac";
    }

    /** @param array<array-key, mixed>|object $value */
    private static function canonical(array|object $value): string
    {
        return str_replace("\x7f", '\u007f', json_encode($value, self::JSON)); // which others escape, too
    }

    /**
     * @param array<array-key, mixed> $value
     *
     * @return array<array-key, mixed> with the keys of all objects in it in their order
     */
    private static function sorted(array $value): array
    {
        $sorted = array_map(static fn (mixed $item): mixed => is_array($item) ? self::sorted($item) : $item, $value);
        array_is_list($sorted) || ksort($sorted, SORT_STRING);

        return $sorted;
    }
}
