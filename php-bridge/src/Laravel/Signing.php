<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel;

use AgentWorkers\Decision;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Shown;
use AgentWorkers\Signer;
use Illuminate\Contracts\Config\Repository;

/**
 * Signs what people decide, where config/agent-workers.php has a `signing_key`. Without one nothing is signed.
 *
 * @internal
 */
final class Signing
{
    public function __construct(private readonly Repository $config)
    {
    }

    public function isOn(): bool
    {
        return $this->signer() !== null;
    }

    /**
     * What the key is called; null where there is none.
     *
     * @throws InvalidArgumentException it is no key
     */
    public function keyId(): ?string
    {
        return $this->signer()?->keyId();
    }

    /** The decision with its signature; it names its actor already. */
    public function decision(?Shown $shown, Decision $decision): Decision
    {
        $signer = $shown === null ? null : $this->signer();

        return $signer === null ? $decision : $decision->signed($signer->decision($shown, $decision));
    }

    /** @param array<array-key, string|list<string>> $answers */
    public function answers(?Shown $shown, array $answers, ?string $actor): ?string
    {
        return $shown === null ? null : $this->signer()?->answers($shown, $answers, $actor);
    }

    private function signer(): ?Signer
    {
        $key = $this->config->get('agent-workers.signing_key');

        return is_string($key) && $key !== '' ? new Signer($key) : null;
    }
}
