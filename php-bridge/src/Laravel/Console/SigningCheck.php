<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Laravel\Signing;

/**
 * Looks whether what people decide can be signed: without a key that works, no decision would be taken.
 *
 * @internal
 */
final class SigningCheck
{
    /** @return array<string, string>|null null where nothing is to be signed */
    public static function of(Signing $signing): ?array
    {
        try {
            $id = $signing->keyId();
        } catch (InvalidArgumentException $error) {
            return [
                'check' => 'signing',
                'status' => 'fail',
                'found' => 'AGENT_WORKERS_SIGNING_KEY is no key: nobody can decide on a call',
                'cure' => $error->getMessage(),
            ];
        }

        return $id === null
            ? null
            : ['check' => 'signing', 'status' => 'ok', 'found' => "decisions are signed: key $id"];
    }
}
