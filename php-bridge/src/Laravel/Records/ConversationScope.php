<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use AgentWorkers\Exception\LogicException;
use AgentWorkers\Laravel\Registry;
use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Database\Eloquent\Builder;
use Illuminate\Http\Request;

/**
 * Which conversations a request may see, as Agent::conversationsFor() says: by default those of the signed-in user, or
 * else of the browser's session.
 *
 * @internal
 */
final class ConversationScope
{
    public function __construct(private readonly Registry $registry)
    {
    }

    /** @return Builder<AgentConversation>|null null where it may see none */
    public function of(Request $request): ?Builder
    {
        $scope = $this->resolved($request);
        $query = AgentConversation::query();
        if ($scope === null) {
            return null;
        }
        if ($scope instanceof \Closure) {
            // In brackets of its own: an orWhere() of the application must not let in what others own.
            return $query->where(static function (Builder $inner) use ($scope): void {
                $scope($inner);
            });
        }
        foreach ($scope as $column => $value) {
            $query->where($column, $value);
        }

        return $query;
    }

    /** @return array{owner?: string, tenant?: string}|null what a conversation gets that the request begins */
    public function mark(Request $request): ?array
    {
        $scope = $this->resolved($request);
        $owner = Party::ownerOf($request);

        return match (true) {
            $scope === null => null,
            $scope instanceof \Closure => $owner === null ? null : ['owner' => $owner],
            isset($scope['owner']) || $owner === null => $scope,
            default => $scope + ['owner' => $owner],
        };
    }

    /** @return array{owner?: string, tenant?: string}|\Closure|null */
    private function resolved(Request $request): array|\Closure|null
    {
        $resolver = $this->registry->conversationsFor;
        $scope = $resolver === null ? Party::ownerOf($request) : $resolver($request);

        return match (true) {
            $scope === null, $scope === '', $scope === [] => null,
            $scope instanceof \Closure => $scope,
            $scope instanceof Authenticatable => self::owned(Party::ownerNamed($scope)),
            is_string($scope), is_int($scope) => ['owner' => (string) $scope],
            is_array($scope) => self::checked($scope),
            default => throw new LogicException(
                'Agent::conversationsFor() must return a user, the owner\'s id, an array with owner and tenant, a '
                    . 'closure that takes the query, or null.',
            ),
        };
    }

    /** @return array{owner: string}|null */
    private static function owned(?string $owner): ?array
    {
        return $owner === null ? null : ['owner' => $owner];
    }

    /**
     * @param array<array-key, mixed> $scope
     *
     * @return array{owner?: string, tenant?: string}|null
     */
    private static function checked(array $scope): ?array
    {
        $known = array_intersect_key($scope, ['owner' => true, 'tenant' => true]);
        if (count($known) < count($scope)) {
            throw new LogicException(
                'Agent::conversationsFor() may return an array with owner and tenant. For more, return a closure that '
                    . 'takes the query.',
            );
        }
        // Somebody without a tenant must not see those of everybody who has none either.
        return in_array(null, $known, true) ? null : array_map(strval(...), $known);
    }
}
