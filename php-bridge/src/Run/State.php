<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

use AgentWorkers\Exception\LogicException;

/**
 * How far a run is, and whether this side ends it. Each method returns the next state; where a transition makes no
 * sense, the state stays as it is.
 *
 * @internal
 */
enum State
{
    /** Nobody has iterated it: no worker runs. */
    case Ready;
    /** Stopped before it was iterated: no worker will run. */
    case Cancelled;
    case Running;
    /** abort() or stop() was called; the terminal event is still to come. */
    case Stopping;
    /** Its deadline has passed; the terminal event is still to come, and is `error` `timeout`. */
    case Overdue;
    /** Over by itself. */
    case Ended;
    /** Over because this side ended it. */
    case Stopped;
    /** Over for this side, which reads it no more: the run goes on. */
    case Left;

    /** @throws LogicException the run was iterated before */
    public function begin(): self
    {
        return match ($this) {
            self::Ready => self::Running,
            self::Cancelled => self::Stopping,
            default => throw new LogicException(
                'A run can be iterated only once, by a loop or by wait(); the last event of the loop is its end. Call '
                    . 'Runner::stream() again to start another.',
            ),
        };
    }

    public function stop(): self
    {
        return match ($this) {
            self::Ready => self::Cancelled,
            self::Running => self::Stopping,
            default => $this,
        };
    }

    /** The deadline decides over a stop: a worker that obeyed would have ended in time. */
    public function expire(): self
    {
        return $this->isUnderway() ? self::Overdue : $this;
    }

    public function end(): self
    {
        return match ($this) {
            self::Running => self::Ended,
            self::Stopping, self::Overdue => self::Stopped,
            default => $this,
        };
    }

    public function leave(): self
    {
        return match ($this) {
            self::Ready => self::Cancelled,
            self::Running, self::Stopping, self::Overdue => self::Left,
            default => $this,
        };
    }

    /** Whether a worker is at work, or about to start. */
    public function isUnderway(): bool
    {
        return in_array($this, [self::Running, self::Stopping, self::Overdue], true);
    }

    public function isOver(): bool
    {
        return in_array($this, [self::Ended, self::Stopped, self::Left], true);
    }

    /** Whether this side ends the run or has ended it. */
    public function isStopped(): bool
    {
        return !in_array($this, [self::Ready, self::Running, self::Ended, self::Left], true);
    }
}
