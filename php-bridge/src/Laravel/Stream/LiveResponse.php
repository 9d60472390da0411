<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Stream;

use AgentWorkers\Event\Event;
use AgentWorkers\Laravel\Http\Conversations;
use AgentWorkers\Run;
use AgentWorkers\Sse\Emitter;
use AgentWorkers\Sse\Format;
use AgentWorkers\Sse\PhpOutput;
use Illuminate\Contracts\Config\Repository;
use Psr\Log\LoggerInterface;
use Symfony\Component\HttpFoundation\StreamedResponse;

/**
 * Makes a response that runs a run while it is being sent.
 *
 * @internal
 */
final class LiveResponse
{
    public function __construct(
        private readonly Store $store,
        private readonly Conversations $conversations,
        private readonly Repository $config,
        private readonly LoggerInterface $logger,
    ) {
    }

    public function of(Run $run, ?string $owner, ?string $conversation, Format|string|null $format): StreamedResponse
    {
        $headers = Emitter::HEADERS + ['X-Agent-Run' => $run->id];
        // It must echo and be no generator: Octane refuses those.
        $send = function () use ($run, $owner, $conversation, $format): void {
            $recording = $owner === null ? null : new Recording($this->store, $owner, $run->id, $this->logger);
            $recording === null || $run->onTick($recording->tick(...));
            $observe = function (Event $event) use ($recording, $owner, $conversation): void {
                $recording?->add($event);
                if ($owner !== null && $conversation !== null) {
                    $this->learn($conversation, $owner, $event);
                }
            };
            try {
                $this->emitter($format, $observe)->emit($run);
            } finally {
                $recording?->close();
            }
        };

        return new StreamedResponse($send, 200, $headers);
    }

    /** @param \Closure(Event): void $observe */
    private function emitter(Format|string|null $format, \Closure $observe): Emitter
    {
        $format ??= $this->setting('format', Format::Native);
        $format = $format instanceof Format ? $format : Format::from($format);
        $output = new PhpOutput();

        return new Emitter(
            new ObservedEncoder($format->encoder(), $observe),
            (float) $this->setting('heartbeat', 0.4),
            $this->logger,
            $this->setting('on_disconnect', 'abort') === 'continue' ? new UnheededOutput($output) : $output,
        );
    }

    private function learn(string $conversation, string $owner, Event $event): void
    {
        try {
            $this->conversations->learn($conversation, $owner, $event);
        } catch (\Throwable $error) {
            $message = 'A conversation cannot be continued: ' . $error->getMessage();
            $this->logger->warning($message, ['run' => $event->run]);
        }
    }

    private function setting(string $name, mixed $default): mixed
    {
        return $this->config->get("agent-workers.stream.$name", $default);
    }
}
