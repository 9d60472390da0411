<?php

declare(strict_types=1);

namespace AgentWorkers;

use AgentWorkers\Exception\InvalidArgumentException;

/** The answer to the question whether a tool call may run. */
final class Decision
{
    public const ALLOW = 'allow';
    public const DENY = 'deny';

    /** @param array<string, mixed>|null $updatedInput */
    private function __construct(
        public readonly string $behavior,
        public readonly ?string $message = null,
        public readonly ?array $updatedInput = null,
    ) {
    }

    /** @param array<string, mixed>|null $updatedInput to run the tool with instead of the model's own */
    public static function allow(?array $updatedInput = null): self
    {
        if ($updatedInput === []) {
            throw new InvalidArgumentException(
                'The updated input is empty. Pass all of what the tool shall run with, or null to keep the model\'s.',
            );
        }

        return new self(self::ALLOW, null, $updatedInput);
    }

    /** @param string|null $message what the model is told */
    public static function deny(?string $message = null): self
    {
        return new self(self::DENY, $message);
    }

    /**
     * @internal
     *
     * @return array<string, mixed> by the contract's names
     */
    public function fields(): array
    {
        $fields = [
            'behavior' => $this->behavior,
            'message' => $this->message,
            'updated_input' => $this->updatedInput === null ? null : (object) $this->updatedInput,
        ];

        return array_filter($fields, static fn (mixed $field): bool => $field !== null);
    }
}
