<?php

declare(strict_types=1);

namespace AgentWorkers\Process;

/**
 * Splits chunks into lines. A chunk may end anywhere, even inside a character.
 *
 * @internal
 */
final class LineSplitter
{
    private string $tail = '';
    private bool $skipping = false;

    /** @param positive-int $maxLine bytes, without the newline */
    public function __construct(private readonly int $maxLine = 1 << 20)
    {
    }

    /** @return \Generator<int, string|null> lines without their newline; null stands for one that is too long */
    public function push(string $chunk): \Generator
    {
        $start = 0;
        while (($end = strpos($chunk, "\n", $start)) !== false) {
            yield $this->complete(substr($chunk, $start, $end - $start));
            $start = $end + 1;
        }
        $this->keep($start === 0 ? $chunk : substr($chunk, $start));
    }

    /** Returns the last line if the stream ended without a newline. */
    public function rest(): ?string
    {
        return $this->complete('');
    }

    private function complete(string $end): ?string
    {
        $this->keep($end);
        $line = $this->skipping ? null : $this->tail;
        $this->tail = '';
        $this->skipping = false;

        return $line;
    }

    private function keep(string $bytes): void
    {
        if ($this->skipping || strlen($this->tail) + strlen($bytes) > $this->maxLine) {
            $this->skipping = true;
            $this->tail = '';
        } elseif ($bytes !== '') {
            $this->tail .= $bytes;
        }
    }
}
