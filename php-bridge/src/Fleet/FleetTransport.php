<?php

declare(strict_types=1);

namespace AgentWorkers\Fleet;

use AgentWorkers\Exception\FleetException;
use AgentWorkers\Process\ExitStatus;
use AgentWorkers\Process\Lasting;

/**
 * A run of the fleet as its reader has it: the events come from the run's stream, and messages go into it. There is no
 * process here, and the run goes on when its reader goes.
 *
 * @internal
 */
final class FleetTransport implements Lasting
{
    private const TICK_MS = 200;
    private const PRESENCE_S = 2.0;

    private EntryId $at;
    private ?string $run = null;
    private bool $isLeft = false;
    private bool $isAborted = false;
    private ?ExitStatus $status = null;
    private string $why = '';
    private float $announced = -INF;
    private readonly ToolCalls $calls;

    /**
     * @param \Closure(string): string $begin gets the request as JSON, submits it where that is to be done, and returns
     *     the run's id
     * @param bool $endsWhenLeft whether the run ends when its reader leaves
     * @param bool $hasTools whether its reader runs tools of the application
     */
    public function __construct(
        private readonly Fleet $fleet,
        private readonly \Closure $begin,
        private readonly bool $endsWhenLeft = false,
        EntryId $after = new EntryId(),
        private readonly bool $hasTools = false,
    ) {
        $this->at = $after;
        $this->calls = new ToolCalls($fleet);
    }

    /** Talks to a run that somebody else reads. */
    public static function to(Fleet $fleet, string $run): self
    {
        $transport = new self($fleet, static fn (): string => $run);
        $transport->run = $run;

        return $transport;
    }

    public function chunks(string $request, \Closure $tick): \Generator
    {
        $goesOn = function () use ($tick): bool {
            $tick();

            return !$this->isLeft;
        };
        try {
            $this->run = ($this->begin)($request);
            $feed = $this->fleet->feed($this->run, $this->at);
            while (!$this->isLeft && !$feed->isOver()) {
                $this->announce();
                foreach ($feed->next(self::TICK_MS, $goesOn) as $id => $line) {
                    $this->at = EntryId::of((string) $id);
                    yield "$line\n";
                }
                $tick();
            }
            $this->status = ExitStatus::outOfSight();
        } catch (FleetException $error) {
            $this->why = $error->getMessage();
            $this->status = $this->run === null ? ExitStatus::unreachable() : ExitStatus::outOfSight();
        }
    }

    public function send(string $line): bool
    {
        $type = json_decode($line, true)['type'] ?? '';
        $this->isAborted = $this->isAborted || $type === 'abort';
        try {
            return $this->run !== null && $this->fleet->tell($this->run, (string) $type, $line)->isTaken();
        } catch (FleetException $error) {
            $this->why = $error->getMessage();

            return false;
        }
    }

    public function terminate(): void
    {
        if (!$this->isAborted && $this->run !== null) {
            $this->send((string) json_encode(['type' => 'abort', 'id' => 'abort-' . bin2hex(random_bytes(8))]));
        }
    }

    /** The machine that has the run ends a worker that does not end by itself. */
    public function terminateAfterGrace(): void
    {
    }

    public function finish(): void
    {
    }

    public function stop(): void
    {
        $this->leave();
    }

    public function leave(): void
    {
        $this->isLeft = true;
        $this->endsWhenLeft && $this->terminate();
    }

    public function claims(string $call, string $expiresAt): bool
    {
        try {
            return $this->run !== null
                && $this->calls->claim($this->run, $this->at->attempt, $call, $expiresAt);
        } catch (FleetException $error) {
            $this->why = $error->getMessage();

            return false;
        }
    }

    private function announce(): void
    {
        $now = hrtime(true) / 1e9;
        if ($this->hasTools && $now - $this->announced >= self::PRESENCE_S) {
            $this->announced = $now;
            $this->calls->announceReader((string) $this->run);
        }
    }

    /** There is no process that this side could know of. */
    public function exitStatus(): ExitStatus
    {
        return $this->status ?? new ExitStatus(null);
    }

    /** What the worker writes to stderr is in the log of the machine that runs it. */
    public function stderr(): string
    {
        return $this->why;
    }
}
