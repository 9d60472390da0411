<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Gateway;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Gateway\TokenKey;
use AgentWorkers\Gateway\WebhookSecrets;
use Illuminate\Contracts\Config\Repository;

/**
 * What config/agent-workers.php says of the gateway.
 *
 * @internal
 */
final class Settings
{
    public function __construct(private readonly Repository $config)
    {
    }

    /** @return string|null where browsers reach it, without a slash at the end */
    public function url(): ?string
    {
        $url = rtrim($this->text('url') ?? '', '/');

        return $url === '' ? null : $url;
    }

    /** @throws InvalidArgumentException there is none */
    public function audience(): string
    {
        return $this->text('audience') ?? $this->text('url') ?? throw new InvalidArgumentException(
            'There is no audience for the tokens of the gateway. Set AGENT_GATEWAY_AUDIENCE, or `gateway.audience` of '
                . 'config/agent-workers.php, to the `audience` of its settings.',
        );
    }

    public function issuer(): ?string
    {
        return $this->text('issuer');
    }

    /**
     * Returns the key that signs.
     *
     * @throws InvalidArgumentException there is none, or it is too weak
     */
    public function key(): TokenKey
    {
        $keys = array_filter((array) $this->setting('keys'), self::isThere(...));
        $kid = $this->text('key_id') ?? (string) array_key_first($keys);
        $key = $keys[$kid] ?? throw new InvalidArgumentException($keys === []
            ? 'There is no key for the tokens of the gateway. Set AGENT_GATEWAY_KEY, or name one in `gateway.keys` of '
                . 'config/agent-workers.php.'
            : "There is no key \"$kid\" in `gateway.keys` of config/agent-workers.php, but "
                . implode(', ', array_keys($keys)) . '. `gateway.key_id` says which of them signs.');

        return new TokenKey($kid, (string) ($key['algorithm'] ?? 'HS256'), self::secret($kid, $key));
    }

    /** @throws InvalidArgumentException there is none, or one is too weak */
    public function webhookSecrets(): WebhookSecrets
    {
        $secrets = array_filter((array) $this->setting('webhook_secrets'), static fn (mixed $secret): bool
            => is_string($secret) && $secret !== '');

        return new WebhookSecrets(array_values($secrets));
    }

    /** @param array<string, mixed> $key */
    private static function secret(string $kid, array $key): string
    {
        if (($key['key'] ?? '') !== '') {
            return (string) $key['key'];
        }
        $text = is_file((string) $key['file']) ? file_get_contents((string) $key['file']) : false;

        return is_string($text) ? $text : throw new InvalidArgumentException(
            "The file of the key \"$kid\" of the gateway cannot be read. Check `gateway.keys` of "
                . 'config/agent-workers.php, and who may read the file.',
        );
    }

    private static function isThere(mixed $key): bool
    {
        return is_array($key) && (($key['key'] ?? '') !== '' || ($key['file'] ?? '') !== '');
    }

    private function text(string $name): ?string
    {
        $value = $this->setting($name);

        return is_string($value) && $value !== '' ? $value : null;
    }

    private function setting(string $name): mixed
    {
        return $this->config->get("agent-workers.gateway.$name");
    }
}
