<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

/**
 * The words that a run was sent while it worked: no event tells them.
 *
 * @internal
 */
final class Steers
{
    private const MOST = 1000;

    /** @var array<string, string> by the ids of their messages */
    private array $words = [];

    public function note(string $id, string $text): void
    {
        $this->words[$id] = $text;
        if (count($this->words) > self::MOST) {
            array_shift($this->words);
        }
    }

    public function take(string $id): ?string
    {
        $text = $this->words[$id] ?? null;
        unset($this->words[$id]);

        return $text;
    }
}
