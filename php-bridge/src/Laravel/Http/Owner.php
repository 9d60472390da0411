<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Http\Request;

/**
 * Identifies who owns runs and conversations: the signed-in user, or the session. Null if there is neither.
 *
 * @internal
 */
final class Owner
{
    public static function of(Request $request): ?string
    {
        $user = $request->user();

        return match (true) {
            $user !== null => self::user($user),
            $request->hasSession() => self::hashed('session:' . $request->session()->getId()),
            default => null,
        };
    }

    public static function user(Authenticatable $user): string
    {
        return self::hashed('user:' . $user::class . ':' . $user->getAuthIdentifier());
    }

    public static function named(string $name): string
    {
        return self::hashed("name:$name");
    }

    /** A key in a shared cache must not reveal a session's id. */
    private static function hashed(string $name): string
    {
        return hash('sha256', $name);
    }
}
