<?php

declare(strict_types=1);

namespace AgentWorkers\Process;

use AgentWorkers\Exception\LogicException;

/**
 * A key for the API. It is kept apart from the object, so that no dump, cast, export or trace shows it.
 *
 * @internal
 */
final class Credential
{
    /** @var \WeakMap<self, string>|null */
    private static ?\WeakMap $keys = null;

    /** @param string|null $key null stands for one that was handed over already */
    public function __construct(#[\SensitiveParameter] ?string $key)
    {
        self::$keys ??= new \WeakMap();
        $key === null || self::$keys[$this] = $key;
    }

    public function key(): ?string
    {
        return self::$keys[$this] ?? null;
    }

    /** @return array<string, bool> */
    public function __debugInfo(): array
    {
        return ['isGiven' => true];
    }

    /**
     * @return array{}
     *
     * @throws LogicException it would be written somewhere
     */
    public function __serialize(): array
    {
        return $this->key() === null ? [] : throw new LogicException(
            'A request with a credential() cannot be serialized: the key would be kept where others read it, such as '
                . 'in a queue. Set the credential where the run begins.',
        );
    }

    /** @param array<string, mixed> $data */
    public function __unserialize(array $data): void
    {
    }

    private function __clone()
    {
    }
}
