<?php

declare(strict_types=1);

namespace AgentWorkers;

/** The result of a tool that is not just text. Immutable: each method returns a changed copy. */
final class ToolContent
{
    /** @param list<array<string, mixed>> $blocks by the contract's names */
    public function __construct(public readonly array $blocks = [])
    {
    }

    public function text(string $text): self
    {
        return $text === '' ? $this : $this->with(['type' => 'text', 'text' => $text]);
    }

    /** @param string $mediaType image/png, image/jpeg, image/gif or image/webp */
    public function image(string $bytes, string $mediaType): self
    {
        $source = ['type' => 'base64', 'media_type' => $mediaType, 'data' => base64_encode($bytes)];

        return $this->with(['type' => 'image', 'source' => $source]);
    }

    /** @param array<string, mixed> $block */
    private function with(array $block): self
    {
        return new self([...$this->blocks, $block]);
    }
}
