<?php

declare(strict_types=1);

namespace AgentWorkers;

use AgentWorkers\Exception\InvalidArgumentException;

/** The answer to the question whether a tool call may run. */
final class Decision
{
    public const ALLOW = 'allow';
    public const DENY = 'deny';

    /**
     * @param array<string, mixed>|null $updatedInput
     * @param array<string, string|list<string>>|null $answers
     */
    private function __construct(
        public readonly string $behavior,
        public readonly ?string $message = null,
        public readonly ?array $updatedInput = null,
        public readonly ?array $answers = null,
        public readonly ?string $actor = null,
        public readonly ?string $signature = null,
    ) {
    }

    /**
     * @internal
     *
     * @param array<string, mixed>|null $updatedInput
     */
    public static function of(string $behavior, ?string $message, ?array $updatedInput): self
    {
        if (!in_array($behavior, [self::ALLOW, self::DENY], true)) {
            throw new InvalidArgumentException(
                sprintf('The behavior must be "allow" or "deny", not "%s".', $behavior),
            );
        }

        return new self($behavior, $message, $updatedInput);
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
     * Answers a question of the agent that a run in mode defer left in `Done::$pending`.
     *
     * @param array<string, string|list<string>> $answers by the text of the question
     */
    public static function answers(array $answers): self
    {
        return new self(self::ALLOW, null, null, Run\Questions::checked($answers));
    }

    /** Says who decided, such as a user's id; `permission_resolved` tells it on. */
    public function by(?string $actor): self
    {
        $named = Run\Controls::named($actor);

        return new self(
            $this->behavior,
            $this->message,
            $this->updatedInput,
            $this->answers,
            $named,
            $named === $this->actor ? $this->signature : null, // which names the actor
        );
    }

    /**
     * Says by a signature of the application's own that this was decided; `permission_resolved` repeats it. Signer
     * makes one that `agent-workers verify` can check.
     */
    public function signed(?string $signature): self
    {
        $signed = Run\Controls::signature($signature);

        return new self(
            $this->behavior,
            $this->message,
            $this->updatedInput,
            $this->answers,
            $this->actor,
            $signed,
        );
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
            'answers' => $this->answers === null ? null : (object) $this->answers,
            'actor' => $this->actor,
            'signature' => $this->signature,
        ];

        return array_filter($fields, static fn (mixed $field): bool => $field !== null);
    }
}
