<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use Illuminate\Http\Request;

/**
 * Whose runs and conversations these are: the signed-in user's, else the session's. Null where there is neither.
 *
 * @internal
 */
final class Owner
{
    public static function of(Request $request): ?string
    {
        $user = $request->user();
        $name = match (true) {
            $user !== null => 'user:' . $user::class . ':' . $user->getAuthIdentifier(),
            $request->hasSession() => 'session:' . $request->session()->getId(),
            default => null,
        };

        return $name === null ? null : hash('sha256', $name); // a key in a shared cache shall not tell a session's id
    }
}
