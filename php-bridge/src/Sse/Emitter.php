<?php

declare(strict_types=1);

namespace AgentWorkers\Sse;

use AgentWorkers\Event\Event;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Run;
use AgentWorkers\Run\Ending;
use Psr\Log\LoggerInterface;
use Psr\Log\NullLogger;

/**
 * Sends the events of a run to a browser as server-sent events, always up to a terminal one; stops the run when the
 * browser has gone, unless it is one of the fleet.
 */
final class Emitter
{
    public const HEADERS = [
        'Content-Type' => 'text/event-stream; charset=utf-8',
        'Cache-Control' => 'no-cache, no-transform',
        'X-Accel-Buffering' => 'no',
    ];

    private Encoder $encoder;
    private readonly Output $output;
    private readonly LoggerInterface $logger;
    /** @var (\Closure(Event): bool)|null */
    private ?\Closure $filter = null;
    private float $sent = 0.0;
    private string $run = '';
    private int $seq = 0;
    private bool $isEnded = false;

    /**
     * @param Format|Encoder $format what the client reads; an encoder may be good for one run alone
     * @param float $heartbeat seconds of silence after which a heartbeat is sent
     * @param LoggerInterface|null $logger gets what is thrown while the stream is open
     */
    public function __construct(
        private readonly Format|Encoder $format = Format::Native,
        private readonly float $heartbeat = 15.0,
        ?LoggerInterface $logger = null,
        ?Output $output = null,
    ) {
        $this->logger = $logger ?? new NullLogger();
        $this->output = $output ?? new PhpOutput();
    }

    /** @param \Closure(Event): bool $filter false keeps an event from the client; the terminal one is always sent */
    public function filter(\Closure $filter): self
    {
        $this->filter = $filter;

        return $this;
    }

    /**
     * Sends the headers and the stream.
     *
     * @param iterable<Event> $events a Run, or events kept from one
     */
    public function respond(iterable $events): void
    {
        if (!headers_sent()) {
            foreach (self::HEADERS + Format::headersOf($this->format) as $name => $value) {
                header("$name: $value");
            }
        }
        $this->emit($events);
    }

    /**
     * Sends the stream only: for frameworks that send the headers.
     *
     * @param iterable<Event> $events a Run, or events kept from one
     */
    public function emit(iterable $events): void
    {
        [$this->run, $this->seq, $this->isEnded] = ['', 0, false];
        $this->encoder = $this->format instanceof Format ? $this->format->encoder() : $this->format;
        $this->output->open();
        $guard = LastWord::expect($this->fail(...));
        try {
            $this->relay($events);
        } catch (\Throwable $error) {
            $this->logger->error($error->getMessage(), ['exception' => $error, 'run' => $this->run]);
            $this->fail();
        } finally {
            $guard->release();
        }
    }

    /** @param iterable<Event> $events */
    private function relay(iterable $events): void
    {
        if ($events instanceof Run) {
            $this->run = $events->id;
            $events->onTick(fn () => $this->keepAlive($events));
        }
        $this->write($this->encoder->opening());
        foreach ($events as $event) {
            $this->send($event);
            if ($this->isEnded || $this->output->isGone()) {
                return;
            }
        }
        $this->send(EventFactory::compose($this->run, $this->seq + 1, 'error', Ending::cutShort()));
    }

    private function send(Event $event): void
    {
        [$this->run, $this->seq] = [$event->run, $event->seq];
        if ($event->isTerminal()) {
            $frames = $this->encoder->event($event) . $this->encoder->closing();
            $this->isEnded = true; // not before: an encoder that throws leaves the end to be told by fail()
            $this->write($frames);
        } elseif ($this->filter === null || ($this->filter)($event)) {
            $this->write($this->encoder->event($event));
        }
    }

    private function keepAlive(Run $run): void
    {
        if (self::now() - $this->sent >= $this->heartbeat) {
            $this->write($this->encoder->heartbeat());
        }
        if ($this->output->isGone()) {
            $run->leave();
        }
    }

    private function write(string $frames): void
    {
        if (!$this->output->isGone()) {
            $this->output->write($frames);
            $this->sent = self::now();
        }
    }

    private function fail(): void
    {
        if (!$this->isEnded) {
            $this->send(EventFactory::compose($this->run, $this->seq + 1, 'error', Ending::internal()));
        }
    }

    private static function now(): float
    {
        return hrtime(true) / 1e9;
    }
}
