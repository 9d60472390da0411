<?php

declare(strict_types=1);

namespace AgentWorkers\Sse;

use AgentWorkers\Event\Event;
use AgentWorkers\Event\Ping;

/**
 * An encoder for a protocol of typed chunks, of one run.
 *
 * What the protocol has no form for, types and fields of the future included, goes into its extension form. So does an
 * event without the fields that its type should have. `agent_workers/convert` is the same in Python.
 *
 * @internal
 */
abstract class ChunkEncoder implements Encoder
{
    /** The result of a call that has none when the run ends. */
    public const RUN_ENDED = 'The run ended before this call did.';

    /** Likewise where the worker was lost, and a later attempt begins. */
    public const BEGAN_AGAIN = 'The run began again before this call ended.';

    /** @var array<int, true> the blocks of text that stand */
    protected array $said = [];
    private bool $isEnded = false;

    public function opening(): string
    {
        return $this->heartbeat();
    }

    public function event(Event $event): string
    {
        if ($this->isEnded) {
            return '';
        }
        if ($event instanceof Ping) {
            return $this->heartbeat();
        }
        $frames = '';
        foreach ($this->chunks(new RawEvent($event)) as $chunk) {
            $frames .= 'data: ' . JsonText::of($chunk) . "\n\n";
        }
        $this->isEnded = $event->isTerminal();

        return $frames;
    }

    public function heartbeat(): string
    {
        return Frame::comment('ping');
    }

    public function closing(): string
    {
        return '';
    }

    /** Tells whether an event begins a later attempt of the run: what came before no longer counts. */
    protected static function beginsAnew(RawEvent $event): bool
    {
        $attempt = $event->value('attempt');

        return $event->type === 'start' && is_int($attempt) && $attempt > 1;
    }

    /** @return iterable<array<string, mixed>> */
    abstract protected function chunks(RawEvent $event): iterable;
}
