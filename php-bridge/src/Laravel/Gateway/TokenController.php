<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Gateway;

use AgentWorkers\Exception\LogicException;
use AgentWorkers\Laravel\Agents;
use AgentWorkers\Laravel\Records\Party;
use AgentWorkers\Laravel\Registry;
use AgentWorkers\Laravel\Words;
use Illuminate\Http\JsonResponse;
use Illuminate\Http\Request;

/** Gives a page the token by which it starts and follows runs at the gateway, if the application's gate allows one. */
final class TokenController
{
    private const HEADERS = ['Cache-Control' => 'no-store, private'];

    /** @throws LogicException the application has not said which token a page gets */
    public function __invoke(Request $request, Agents $agents, Registry $registry, Settings $settings): JsonResponse
    {
        $gate = $registry->gatewayTokens ?? throw new LogicException(
            'Nothing says which tokens pages get. Call Agent::gatewayTokens() in a service provider.',
        );
        $user = $request->user();
        $bearer = $user ?? ($registry->gatewayGuests ? Party::ownerOf($request) : null);
        if ($bearer === null) {
            return self::refusal('refused.guest', 401);
        }
        $pending = $agents->token($bearer);
        $said = $gate($request, $pending);
        $token = $said === true ? $pending : $said;
        if ($token === null || $token === false) {
            return self::refusal('refused.no_token', 403);
        }
        if (!$token instanceof PendingToken) {
            throw new LogicException('The closure of Agent::gatewayTokens() returns a token, or null to refuse one.');
        }
        $claims = $token->claims();
        $body = [
            'token' => $settings->key()->token($claims),
            'expires_at' => gmdate('Y-m-d\TH:i:s\Z', $claims['exp']),
            'expires_in' => $claims['exp'] - $claims['iat'],
            'url' => $settings->url(),
        ];

        return new JsonResponse($body, 200, self::HEADERS);
    }

    private static function refusal(string $words, int $status): JsonResponse
    {
        return new JsonResponse(['message' => Words::of($words)], $status, self::HEADERS);
    }
}
