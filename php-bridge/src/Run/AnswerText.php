<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

use AgentWorkers\Event\Delta;
use AgentWorkers\Event\Discard;
use AgentWorkers\Event\Done;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\Start;

/**
 * Collects the text of a run's deltas, to complete a `done` event whose text was cut to fit its line.
 *
 * @internal
 */
final class AnswerText
{
    /** @var array<int, string> by block */
    private array $texts = [];

    public function add(Event $event): void
    {
        if ($event instanceof Start) {
            $this->texts = []; // where the run begins anew, what a lost attempt has said does not count
        } elseif ($event instanceof Delta) {
            $this->texts[$event->block] = ($this->texts[$event->block] ?? '') . $event->text;
        } elseif ($event instanceof Discard) {
            $this->texts = array_diff_key($this->texts, array_flip($event->blocks));
        }
    }

    public function complete(Done $done): Done
    {
        if ($done->truncatedBytes === null) {
            return $done;
        }
        $length = strlen($done->text) + $done->truncatedBytes;
        $whole = substr(implode('', $this->texts), -$length);

        return strlen($whole) === $length && str_starts_with($whole, $done->text) ? $done->withText($whole) : $done;
    }
}
