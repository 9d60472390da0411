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

    /** @param (\Closure(string): ?string)|null $elsewhere finds what another process has said */
    public function __construct(private readonly ?\Closure $elsewhere = null)
    {
    }

    public function note(string $id, string $text): void
    {
        $this->words[$id] = $text;
        if (count($this->words) > self::MOST) {
            array_shift($this->words);
        }
    }

    public function take(string $id): ?string
    {
        $text = $this->words[$id] ?? ($this->elsewhere === null ? null : ($this->elsewhere)($id));
        unset($this->words[$id]);

        return $text;
    }
}
