<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** Tokens consumed; for a single model also their price. Null is unknown, never zero. */
final class Usage
{
    public function __construct(
        public readonly ?int $inputTokens = null,
        public readonly ?int $outputTokens = null,
        public readonly ?int $cacheReadInputTokens = null,
        public readonly ?int $cacheCreationInputTokens = null,
        public readonly ?float $costUsd = null,
    ) {
    }

    /** @param array<array-key, mixed> $data */
    public static function fromArray(array $data): self
    {
        $fields = new Fields($data);

        return new self(
            $fields->intOrNull('input_tokens'),
            $fields->intOrNull('output_tokens'),
            $fields->intOrNull('cache_read_input_tokens'),
            $fields->intOrNull('cache_creation_input_tokens'),
            $fields->floatOrNull('cost_usd'),
        );
    }
}
