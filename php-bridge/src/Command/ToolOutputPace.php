<?php

declare(strict_types=1);

namespace AgentWorkers\Command;

/**
 * Sends what a tool prints at once, but no more than twenty pieces a second, and no more than 1 MiB in all.
 *
 * @internal
 */
final class ToolOutputPace
{
    private const MOST = 20;
    private const WINDOW_NS = 1_000_000_000;
    private const MOST_BYTES = 1 << 20;
    /** Escaped, a piece still fits a line. */
    private const LONGEST = 150_000;

    private string $unsent = '';
    private int $bytes = 0;
    private int $left = 0;
    /** @var list<int> when the last pieces were sent */
    private array $sent = [];

    /** @return list<array{text: string, truncated_bytes?: int}> what is to be sent now */
    public function add(string $text): array
    {
        $kept = Utf8::cut($text, max(0, self::MOST_BYTES - $this->bytes));
        $this->bytes += strlen($kept);
        $this->left += strlen($text) - strlen($kept);
        $this->unsent .= $kept;
        $pieces = [];
        while ($this->unsent !== '' && $this->isFree()) {
            $pieces[] = ['text' => $this->piece()];
        }

        return $pieces;
    }

    /** @return list<array{text: string, truncated_bytes?: int}> what is to be sent at the end */
    public function rest(): array
    {
        $pieces = [];
        while ($this->unsent !== '') {
            $pieces[] = ['text' => $this->piece()];
        }
        if ($this->left > 0) {
            $pieces[] = ['text' => '', 'truncated_bytes' => $this->left];
        }

        return $pieces;
    }

    private function piece(): string
    {
        $piece = Utf8::cut($this->unsent, self::LONGEST);
        $this->unsent = substr($this->unsent, strlen($piece));
        $this->sent = [...array_slice($this->sent, 1 - self::MOST), hrtime(true)];

        return $piece;
    }

    private function isFree(): bool
    {
        return count($this->sent) < self::MOST || hrtime(true) - $this->sent[0] >= self::WINDOW_NS;
    }
}
