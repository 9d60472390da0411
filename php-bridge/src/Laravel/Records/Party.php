<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use AgentWorkers\Laravel\Http\Actor;
use AgentWorkers\Laravel\Http\Owner;
use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Http\Request;

/**
 * For whom a run is, and in which conversation. It goes along with a run that other processes follow.
 *
 * @internal
 */
final class Party
{
    public function __construct(
        public readonly ?string $conversation = null,
        public readonly ?string $owner = null,
        public readonly ?string $user = null,
        public readonly ?string $tenant = null,
    ) {
    }

    /** @param array<string, mixed> $data */
    public static function fromArray(array $data): self
    {
        $text = static fn (string $name): ?string => is_string($data[$name] ?? null) ? $data[$name] : null;

        return new self($text('conversation'), $text('owner'), $text('user'), $text('tenant'));
    }

    public function in(?string $tenant): self
    {
        return new self($this->conversation, $this->owner, $this->user, $this->tenant ?? $tenant);
    }

    /** @return array<string, string> */
    public function toArray(): array
    {
        return array_filter(get_object_vars($this), static fn (?string $value): bool => $value !== null);
    }

    /** Names whose a visitor's conversations are: the signed-in user's, by the id, or the session's. */
    public static function ownerOf(Request $request): ?string
    {
        $user = $request->user();

        return $user === null ? Owner::of($request) : self::ownerNamed($user);
    }

    /** Users of another kind than the application's usual one have ids of their own, which may be the same. */
    public static function ownerNamed(Authenticatable $user): ?string
    {
        $id = Actor::user($user);
        $guard = config('auth.guards.' . config('auth.defaults.guard') . '.provider');
        $usual = config("auth.providers.$guard.model");

        return $id === null || !is_string($usual) || $user instanceof $usual ? $id : $user::class . ":$id";
    }
}
