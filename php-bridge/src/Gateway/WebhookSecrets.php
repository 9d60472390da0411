<?php

declare(strict_types=1);

namespace AgentWorkers\Gateway;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\WebhookRefusedException;

/** Checks who sent a webhook, as Standard Webhooks has it: https://www.standardwebhooks.com. */
final class WebhookSecrets
{
    public const TOLERANCE_S = 300;
    private const PREFIX = 'whsec_';
    private const SHORTEST = 24;
    private const LONGEST_HEADER = 4096;

    /** @var \Closure(string): list<string> makes the signature by each secret */
    private readonly \Closure $signatures;

    /**
     * @param list<string> $secrets `whsec_` and base64 of at least 24 bytes; several while they are rotated
     *
     * @throws InvalidArgumentException there is none, or one is too weak
     */
    public function __construct(#[\SensitiveParameter] array $secrets)
    {
        if ($secrets === []) {
            throw new InvalidArgumentException(
                'There is no secret to check webhooks with. Set AGENT_GATEWAY_WEBHOOK_SECRET, or '
                    . '`gateway.webhook_secrets` of config/agent-workers.php, to the one of the gateway.',
            );
        }
        $keys = array_map(self::key(...), $secrets);
        $this->signatures = static fn (string $signed): array => array_map(
            static fn (string $key): string => base64_encode(hash_hmac('sha256', $signed, $key, true)),
            $keys,
        );
    }

    /** @return array<string, mixed> what dumps show: no secret */
    public function __debugInfo(): array
    {
        return [];
    }

    /**
     * @param string|null $id header webhook-id
     * @param string|null $timestamp header webhook-timestamp
     * @param string|null $signature header webhook-signature: several are separated by spaces
     *
     * @throws WebhookRefusedException it is not of whoever has a secret, or too old, or from the future
     */
    public function verify(?string $id, ?string $timestamp, ?string $signature, string $body, ?int $now = null): void
    {
        $headers = [$id ?? '', $timestamp ?? '', $signature ?? ''];
        if (in_array('', $headers, true) || strlen(implode('', $headers)) > self::LONGEST_HEADER) {
            throw new WebhookRefusedException('A webhook needs the headers webhook-id, -timestamp and -signature.');
        }
        [$id, $timestamp, $signature] = $headers;
        if (preg_match('/^\d{1,12}$/D', $timestamp) !== 1) {
            throw new WebhookRefusedException('The timestamp of the webhook is no number of seconds.');
        }
        if (abs(($now ?? time()) - (int) $timestamp) > self::TOLERANCE_S) {
            throw new WebhookRefusedException('The webhook is too old, or from the future. Check both clocks.');
        }
        if (!$this->isOurs("$id.$timestamp.$body", explode(' ', $signature))) {
            throw new WebhookRefusedException('The signature of the webhook is wrong. Check its secret.');
        }
    }

    /** @param list<string> $given each with its version */
    private function isOurs(string $signed, array $given): bool
    {
        $isOurs = false;
        foreach (($this->signatures)($signed) as $wanted) {
            foreach ($given as $signature) {
                $isOurs = hash_equals("v1,$wanted", $signature) || $isOurs;
            }
        }

        return $isOurs;
    }

    private static function key(#[\SensitiveParameter] string $secret): string
    {
        $encoded = str_starts_with($secret, self::PREFIX) ? substr($secret, strlen(self::PREFIX)) : $secret;
        $key = base64_decode($encoded, true);
        if ($key === false || strlen($key) < self::SHORTEST) {
            throw new InvalidArgumentException(
                'A secret of webhooks is whsec_ and base64 of at least 24 bytes. Make one by: echo '
                    . '"whsec_$(openssl rand -base64 32)"',
            );
        }

        return $key;
    }
}
