<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Stream;

use AgentWorkers\Fleet\EntryId;
use AgentWorkers\Laravel\Words;
use AgentWorkers\Sse\Emitter;
use AgentWorkers\Sse\Format;
use AgentWorkers\Sse\NativeEncoder;
use Illuminate\Contracts\Config\Repository;
use Illuminate\Http\JsonResponse;
use Psr\Log\LoggerInterface;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\HttpFoundation\StreamedResponse;

/**
 * Makes a response from the recorded events of a run.
 *
 * @internal
 */
final class ReplayResponse
{
    public function __construct(
        private readonly Store $store,
        private readonly StreamSlots $slots,
        private readonly Repository $config,
        private readonly LoggerInterface $logger,
    ) {
    }

    /** @param EntryId $after the last event that the browser has */
    public function of(string $run, ?string $owner, EntryId $after, Format $format = Format::Native): Response
    {
        $heartbeat = (float) $this->config->get('agent-workers.stream.heartbeat', 0.4);
        $replay = $owner === null ? null : new Replay($this->store, $owner, $run, $after, $heartbeat);
        if ($replay === null || !$replay->isKnown() || $replay->isTornOff()) {
            return new JsonResponse(['message' => Words::of('refused.no_run')], 404);
        }
        if ($replay->isOver()) {
            return new Response('', 204); // tells EventSource not to come again
        }
        $slot = $this->slots->take();
        $send = function () use ($format, $heartbeat, $replay, &$slot): void {
            $encoder = $format === Format::Native ? new NativeEncoder(begun: $replay->attempt()) : $format;
            (new Emitter($encoder, $heartbeat, $this->logger))->emit($replay->events());
            $slot = null;
        };

        $headers = Emitter::HEADERS + Format::headersOf($format) + ['X-Agent-Run' => $run];

        return new StreamedResponse($send, 200, $headers);
    }
}
