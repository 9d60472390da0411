<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Stream;

use AgentWorkers\Event\Event;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Laravel\Commands;
use AgentWorkers\Run;
use AgentWorkers\Sse\Emitter;
use AgentWorkers\Sse\Encoder;
use AgentWorkers\Sse\Format;
use AgentWorkers\Sse\PhpOutput;
use Illuminate\Contracts\Config\Repository;
use Psr\Log\LoggerInterface;
use Symfony\Component\HttpFoundation\StreamedResponse;

/**
 * Makes a response that iterates a run while it is sent.
 *
 * @internal
 */
final class LiveResponse
{
    public function __construct(
        private readonly Store $store,
        private readonly Repository $config,
        private readonly LoggerInterface $logger,
    ) {
    }

    /**
     * Returns what the configuration says, before a run begins that it could not send.
     *
     * @throws InvalidArgumentException there is no format of this name
     */
    public function usualFormat(): Format|Encoder
    {
        $format = $this->setting('format', Format::Native);

        return is_string($format) ? Format::named($format) : $format;
    }

    /**
     * @param resource|null $slot what StreamSlots gave, until the stream is over
     * @param HiddenFolder|null $hidden what the browser is not told
     */
    public function of(
        Run $run,
        ?string $owner,
        Format|Encoder $format,
        mixed $slot = null,
        ?HiddenFolder $hidden = null,
    ): StreamedResponse {
        $headers = Emitter::HEADERS + Format::headersOf($format) + ['X-Agent-Run' => $run->id];
        // It must echo and be no generator: Octane refuses those.
        $send = function () use ($run, $owner, $format, $hidden, &$slot): void {
            $held = Commands::secondsHeld($run);
            $recording = $owner === null || $run->isLasting() // which is kept elsewhere
                ? null
                : new Recording($this->store, $owner, $run->id, $this->logger, $held);
            $recording === null || $run->onTick($recording->tick(...))->onTick($recording->obey($run));
            try {
                $show = static function (Event $event) use ($recording, $hidden): Event {
                    $shown = $hidden === null ? $event : $hidden->of($event);
                    $recording?->add($shown);

                    return $shown;
                };
                $this->emitter($format, $show, $run->isLasting())->emit($run);
            } finally {
                $recording?->close();
                $slot = null;
            }
        };

        return new StreamedResponse($send, 200, $headers);
    }

    /** @param \Closure(Event): Event $show */
    private function emitter(Format|Encoder $format, \Closure $show, bool $isLasting): Emitter
    {
        $output = new PhpOutput();
        $isUnheeded = !$isLasting && $this->setting('on_disconnect', 'abort') === 'continue';

        return new Emitter(
            new ShownEncoder($format instanceof Format ? $format->encoder() : $format, $show),
            (float) $this->setting('heartbeat', 0.4),
            $this->logger,
            $isUnheeded ? new UnheededOutput($output) : $output,
        );
    }

    private function setting(string $name, mixed $default): mixed
    {
        return $this->config->get("agent-workers.stream.$name", $default);
    }
}
