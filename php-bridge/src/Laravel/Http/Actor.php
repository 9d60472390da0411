<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Http\Request;

/**
 * Names who answers, for the events that tell it on: the signed-in user's id. Nobody, if nobody is signed in.
 *
 * @internal
 */
final class Actor
{
    private const LONGEST = 128;

    public static function of(Request $request): ?string
    {
        $user = $request->user();

        return $user === null ? null : self::user($user);
    }

    public static function user(Authenticatable $user): ?string
    {
        $id = mb_substr((string) $user->getAuthIdentifier(), 0, self::LONGEST);

        return $id === '' ? null : $id;
    }
}
