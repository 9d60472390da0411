<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

use AgentWorkers\Event\Ack;
use AgentWorkers\Event\AppToolCall;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\ToolOutput;

/**
 * A handler that runs, and what it prints on its way to the worker.
 *
 * This process reads no event while the handler runs. So after a piece it waits until the piece has come back as
 * `tool_output`, and with that is on its way to the browser. A handler that prints faster than a browser is shown may
 * not be slowed down: when such waits have taken more than a part of its time, pieces are joined, and only the
 * acknowledgement is waited for.
 *
 * @internal
 */
final class ToolPrinting
{
    private const PAUSE_NS = 50_000_000;
    private const FREE_NS = 250_000_000;
    private const SHARE = 0.2;
    /** The worker refuses a line of more than 32 MiB, and a character may take six bytes in it. */
    private const LONGEST = 1 << 20;
    /** A worker that says nothing holds up the handler no longer. */
    private const PATIENCE_NS = 200_000_000;

    private readonly int $began;
    private string $unsent = '';
    private int $sent = 0;
    private int $waited = 0;
    /** Id of the message that is waited for; null where the handler may go on. */
    private ?string $message = null;
    private bool $isPatient = false;
    /** Whether the piece that the handler printed last is in `unsent`, or sent. */
    private bool $isTaken = false;

    /**
     * @param \Generator<int, string, mixed, array{string|list<array<string, mixed>>, bool, ?bool, bool}> $steps
     * @param (\Closure(string, string): ?string)|null $print
     */
    public function __construct(
        private readonly \Generator $steps,
        private readonly AppToolCall $call,
        private readonly ?\Closure $print,
    ) {
        $this->began = self::now();
    }

    public function note(Event $event): void
    {
        $isSeen = match (true) {
            $event instanceof ToolOutput => $event->toolUseId === ($this->call->toolUseId ?? $event->toolUseId),
            $event instanceof Ack => $event->id === $this->message && (!$this->isPatient || !$event->ok),
            default => false,
        };
        if ($isSeen) {
            $this->goOn();
        }
    }

    /** Lets the handler run until there is something to wait for. Tells whether it has ended. */
    public function proceed(): bool
    {
        if ($this->message !== null) {
            if (self::now() - $this->sent < self::PATIENCE_NS) {
                return false;
            }
            $this->goOn();
        }
        while ($this->steps->valid()) {
            if ($this->print !== null && !$this->isTaken) {
                $this->unsent .= $this->steps->current();
                $this->isTaken = true;
                if ($this->isDue() && $this->send()) {
                    return false;
                }
            }
            $this->isTaken = false;
            $this->steps->next();
        }
        $this->send();

        return true;
    }

    /** @return array{string|list<array<string, mixed>>, bool, ?bool, bool} */
    public function result(): array
    {
        return $this->steps->getReturn();
    }

    private function isDue(): bool
    {
        $this->isPatient = $this->waited < self::FREE_NS + self::SHARE * (self::now() - $this->began);

        return $this->isPatient || self::now() - $this->sent >= self::PAUSE_NS;
    }

    private function send(): bool
    {
        if ($this->unsent === '' || $this->print === null) {
            return false;
        }
        for ($at = 0; $at < strlen($this->unsent); $at += strlen($piece)) {
            $rest = substr($this->unsent, $at, self::LONGEST + 4);
            $piece = mb_strcut($rest, 0, self::LONGEST);
            $piece = $piece === '' ? $rest : $piece;
            $this->message = ($this->print)($this->call->callId, $piece);
        }
        [$this->unsent, $this->sent] = ['', self::now()];

        return $this->message !== null;
    }

    private function goOn(): void
    {
        if ($this->message !== null) {
            $this->waited += self::now() - $this->sent;
            $this->message = null;
        }
    }

    private static function now(): int
    {
        return hrtime(true);
    }
}
