<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Laravel\Words;
use AgentWorkers\Sse\Emitter;
use AgentWorkers\Sse\NativeEncoder;
use Illuminate\Http\JsonResponse;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\HttpKernel\Exception\HttpException;

/**
 * The HTTP response for a run that failed or could not begin.
 *
 * @internal
 */
final class Refusal
{
    private const STATUS = [
        'invalid_request' => 422, 'forbidden' => 403,
        'context_overflow' => 413, 'session_not_found' => 404, 'session_exists' => 409,
        'session_busy' => 409, 'rate_limited' => 429, 'budget_exhausted' => 429, 'gateway' => 502,
        'output_schema' => 502, 'output_too_large' => 502, 'timeout' => 504,
    ];
    private const RETRYABLE = 503;
    private const OTHER = 500;
    /** If the API did not say how long to wait. */
    private const RETRY_AFTER_MS = 5_000;

    private function __construct(
        private readonly \RuntimeException $cause,
        private readonly ErrorEvent|Aborted $event,
        private readonly string $code,
        private readonly int $status,
        private readonly ?int $retryAfterMs,
    ) {
    }

    public static function of(RunFailedException|RunAbortedException $cause): self
    {
        $event = $cause->event;
        if ($event instanceof Aborted) {
            return new self($cause, $event, 'aborted', self::RETRYABLE, self::RETRY_AFTER_MS);
        }
        $status = self::STATUS[$event->code] ?? ($event->retryable ? self::RETRYABLE : self::OTHER);
        $wait = $event->retryAfterMs ?? ($event->retryable ? self::RETRY_AFTER_MS : null);

        return new self($cause, $event, $event->code, $status, $wait);
    }

    public function json(): JsonResponse
    {
        $body = [
            'message' => Words::ofFailure($this->event),
            'code' => $this->code,
            'retryable' => $this->event instanceof ErrorEvent ? $this->event->retryable : true,
            'retry_after_ms' => $this->retryAfterMs,
            'details' => $this->event instanceof ErrorEvent ? $this->event->details : null,
        ];
        $known = array_filter($body, static fn (mixed $value): bool => $value !== null);

        return new JsonResponse($known, $this->status, $this->headers());
    }

    /** The terminal event, as a stream that has begun would have sent it. */
    public function stream(): Response
    {
        $frame = (new NativeEncoder())->event($this->event);

        return new Response($frame, $this->status, Emitter::HEADERS + $this->headers());
    }

    /** For pages: the application's own page for this status. */
    public function exception(): HttpException
    {
        return new HttpException($this->status, Words::ofFailure($this->event), $this->cause, $this->headers());
    }

    /** @return array<string, string> */
    private function headers(): array
    {
        return $this->retryAfterMs === null ? [] : ['Retry-After' => (string) ceil($this->retryAfterMs / 1000)];
    }
}
