<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

/**
 * Deltas, joined to the texts of their blocks; and which rows each block has become.
 *
 * @internal
 */
final class Texts
{
    private ?int $block = null;
    private string $text = '';
    private int $length = 0;
    /** @var array<int, list<int>> numbers of rows, by block */
    private array $rows = [];

    /** @return array{int, string|null}|null the text of another block that ends with this delta */
    public function add(int $block, string $text): ?array
    {
        $ended = $this->block === null || $this->block === $block ? null : $this->end();
        $this->block = $block;
        $this->length += mb_strlen($text);
        if ($this->length <= Keeping::LONGEST) {
            $this->text .= $text;
        }

        return $ended;
    }

    /** @return array{int, string|null}|null the block that was being written, and its text unless it is too long */
    public function end(): ?array
    {
        [$block, $text, $length] = [$this->block, $this->text, $this->length];
        [$this->block, $this->text, $this->length] = [null, '', 0];

        return $block === null || $length === 0 ? null : [$block, $length <= Keeping::LONGEST ? $text : null];
    }

    public function note(int $block, int $seq): void
    {
        $this->rows[$block][] = $seq;
    }

    /** @return list<int> numbers of the rows that the block has become */
    public function discard(int $block): array
    {
        if ($block === $this->block) {
            $this->end();
        }
        $rows = $this->rows[$block] ?? [];
        unset($this->rows[$block]);

        return $rows;
    }
}
