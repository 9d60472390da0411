<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** Tokens consumed; for a single model also their estimated price. Null is unknown, never zero. */
final class Usage
{
    public function __construct(
        public readonly ?int $inputTokens = null,
        public readonly ?int $outputTokens = null,
        public readonly ?int $cacheReadInputTokens = null,
        public readonly ?int $cacheCreationInputTokens = null,
        public readonly ?float $costUsd = null,
        public readonly ?int $cacheCreation1hInputTokens = null,
        public readonly ?int $cacheCreation5mInputTokens = null,
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
            $fields->intOrNull('cache_creation_1h_input_tokens'),
            $fields->intOrNull('cache_creation_5m_input_tokens'),
        );
    }
}
