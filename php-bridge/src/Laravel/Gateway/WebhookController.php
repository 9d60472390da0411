<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Gateway;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\WebhookRefusedException;
use AgentWorkers\Gateway\Webhook;
use Illuminate\Http\JsonResponse;
use Illuminate\Http\Request;
use Illuminate\Support\Carbon;
use Symfony\Component\HttpFoundation\Response;

/**
 * Takes what the gateway tells of its runs, each once. Whatever is not answered with a 2xx it tells again later, for
 * days.
 */
final class WebhookController
{
    private const MAX_BYTES = 64 * 1024;
    private const RETRY_AFTER_S = 5;

    /** @throws InvalidArgumentException there is no secret to check webhooks with, or a weak one */
    public function __invoke(
        Request $request,
        Settings $settings,
        TakenWebhooks $taken,
        WebhookEffects $effects,
    ): Response {
        $secrets = $settings->webhookSecrets();
        $body = self::body($request);
        if ($body === null) {
            return self::refusal('A webhook has at most ' . self::MAX_BYTES . ' bytes.', 413);
        }
        $id = $request->headers->get('webhook-id');
        [$timestamp, $signature] = [
            $request->headers->get('webhook-timestamp'),
            $request->headers->get('webhook-signature'),
        ];
        try {
            $secrets->verify($id, $timestamp, $signature, $body, Carbon::now()->getTimestamp());
        } catch (WebhookRefusedException $refused) {
            return self::refusal($refused->getMessage(), 401);
        }
        try {
            $webhook = Webhook::fromJson((string) $id, $body);
        } catch (WebhookRefusedException $refused) {
            return self::refusal($refused->getMessage(), 422);
        }

        return $this->take($webhook, $taken, $effects);
    }

    private function take(Webhook $webhook, TakenWebhooks $taken, WebhookEffects $effects): Response
    {
        if (!$taken->begin($webhook->id)) {
            return $taken->isDone($webhook->id) ? new Response('', 204) : self::refusal(
                'The same webhook is being taken.',
                503,
                ['Retry-After' => (string) self::RETRY_AFTER_S],
            );
        }
        try {
            $effects->of($webhook);
        } catch (\Throwable $error) {
            $taken->forget($webhook->id);
            throw $error;
        }
        $taken->finish($webhook->id);

        return new Response('', 204);
    }

    /** @return string|null null where it is too large: then no more of it is read than is needed to know that */
    private static function body(Request $request): ?string
    {
        if ((int) $request->headers->get('Content-Length') > self::MAX_BYTES) {
            return null;
        }
        $body = stream_get_contents($request->getContent(true), self::MAX_BYTES + 1);

        return $body === false || strlen($body) > self::MAX_BYTES ? null : $body;
    }

    /** @param array<string, string> $headers */
    private static function refusal(string $words, int $status, array $headers = []): JsonResponse
    {
        return new JsonResponse(['message' => $words], $status, $headers);
    }
}
