<?php

declare(strict_types=1);

namespace AgentWorkers;

use AgentWorkers\Exception\InvalidArgumentException;

/** The result of a tool that returns more than text. Immutable: each method returns a changed copy. */
final class ToolContent
{
    private const IMAGES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];

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
        if (!in_array($mediaType, self::IMAGES, true)) {
            $known = implode(', ', self::IMAGES);
            throw new InvalidArgumentException(
                sprintf('Images of the type "%s" are not supported. Use one of %s.', $mediaType, $known),
            );
        }
        if ($bytes === '') {
            throw new InvalidArgumentException('The image is empty. Pass the bytes of its file.');
        }
        $source = ['type' => 'base64', 'media_type' => $mediaType, 'data' => base64_encode($bytes)];

        return $this->with(['type' => 'image', 'source' => $source]);
    }

    /** @param array<string, mixed> $block */
    private function with(array $block): self
    {
        return new self([...$this->blocks, $block]);
    }
}
