<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

use AgentWorkers\Event\Event;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Event\Start;
use AgentWorkers\Exception\MalformedEventException;
use AgentWorkers\Process\LineSplitter;
use Psr\Log\LoggerInterface;

/**
 * Reads events from a worker's bytes, up to the terminal one. A line that is not an event is logged, without its
 * content. A later attempt of the run begins anew, with a `start` and a first `seq` of its own; one of an earlier
 * attempt that comes behind it is skipped.
 *
 * @internal
 */
final class EventReader
{
    private readonly LineSplitter $lines;
    private int $attempt = 0;
    private ?Event $terminal = null;
    private ?Event $last = null;

    /** @param int $seq number of the last event that was read before */
    public function __construct(
        private string $run,
        private readonly LoggerInterface $logger,
        private int $seq = 0,
    ) {
        $this->lines = new LineSplitter();
    }

    /** @return \Generator<int, Event> */
    public function push(string $chunk): \Generator
    {
        foreach ($this->lines->push($chunk) as $line) {
            foreach ($this->read($line) as $event) {
                yield $event;
            }
            if ($this->terminal !== null) {
                return;
            }
        }
    }

    /** @return \Generator<int, Event> the event of a last line without a newline */
    public function rest(): \Generator
    {
        $line = $this->lines->rest();
        if ($line !== '') {
            yield from $this->read($line);
        }
    }

    public function terminal(): ?Event
    {
        return $this->terminal;
    }

    /**
     * Makes the next event on this side.
     *
     * @param array<string, mixed> $body
     */
    public function compose(string $type, array $body): Event
    {
        // Where the worker chains its lines, what stands in for its last one goes on from the one that came.
        $isEnd = in_array($type, Event::TERMINAL, true);
        $chained = $isEnd && $this->last?->prev !== null ? ['prev' => hash('sha256', $this->last->toJson())] : [];

        return $this->note(EventFactory::compose($this->run, $this->seq + 1, $type, $body + $chained));
    }

    /** @return \Generator<int, Event> */
    private function read(?string $line): \Generator
    {
        try {
            $event = EventFactory::fromJson($line ?? throw new MalformedEventException('longer than 1 MiB'));
        } catch (MalformedEventException $error) {
            $context = ['run' => $this->run, 'problem' => $error->getMessage(), 'bytes' => strlen($line ?? '')];
            $this->logger->warning('An agent worker wrote a line that is not an event. It was skipped.', $context);
            if ($error->isOtherVersion) {
                yield $this->compose('error', Ending::unsupportedVersion());
            }

            return;
        }
        $this->run = $event->run;
        if ($event instanceof Start && $event->attempt() < $this->attempt) {
            $this->logger->warning('An attempt of an agent run begins after a later one. It was skipped.', [
                'run' => $this->run,
                'attempt' => $event->attempt(),
            ]);

            return;
        }
        if ($event instanceof Start && $event->attempt() > $this->attempt) {
            [$this->attempt, $this->seq] = [$event->attempt(), 0];
        }
        $missing = $event->seq - $this->seq - 1;
        if ($missing > 0) {
            yield $this->compose('notice', [
                'level' => 'warning',
                'code' => 'protocol_error',
                'message' => "Some events of the worker could not be read: $missing.",
            ]);
        }
        yield $this->note($event);
    }

    private function note(Event $event): Event
    {
        $this->seq = $event->seq;
        $this->last = $event;
        if ($event->isTerminal()) {
            $this->terminal = $event;
        }

        return $event;
    }
}
