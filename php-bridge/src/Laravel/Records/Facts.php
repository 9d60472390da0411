<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use AgentWorkers\Request;

/**
 * What is known of a run besides its events.
 *
 * @internal
 */
final class Facts
{
    /** What their column takes. */
    private const MOST_ATTEMPTS = 2 ** 31 - 1;

    /**
     * @param string $run its id
     * @param string $at when its question was asked, as a row has it
     * @param array<string, mixed> $request by the contract's names; empty where it is not known
     * @param string|null $worker program that runs it; null takes what `start` says
     * @param (\Closure(string): ?string)|null $words finds what another process said to the agent, by the message's id
     * @param mixed $question what is asked, as JSON has it; null where it is not known, or another process writes it
     * @param string|null $chainHead SHA-256 of its last line, where that is not here as it was written
     */
    public function __construct(
        public readonly string $run,
        public readonly string $at,
        private readonly array $request = [],
        public readonly ?string $worker = null,
        public readonly Party $party = new Party(),
        public readonly mixed $question = null,
        public readonly ?\Closure $words = null,
        public readonly ?string $chainHead = null,
    ) {
    }

    /**
     * @param Request $request with the run's id
     * @param bool $isAsked whether the question is to be written, too
     * @param string|null $ts when it was asked; null is now
     * @param (\Closure(string): ?string)|null $words
     */
    public static function of(
        Request $request,
        ?string $worker,
        Party $party,
        bool $isAsked = true,
        ?string $ts = null,
        ?\Closure $words = null,
    ): self {
        $said = (array) json_decode((string) json_encode($request, JSON_PARTIAL_OUTPUT_ON_ERROR));
        $run = is_string($said['run'] ?? null) ? $said['run'] : '';

        $at = UtcTime::of($ts ?? '') ?? UtcTime::now();

        return new self($run, $at, $said, $worker, $party, $isAsked ? self::questionOf($said) : null, $words);
    }

    public function text(string $field): ?string
    {
        $value = $this->request[$field] ?? null;

        return is_string($value) && $value !== '' ? $value : null;
    }

    public function user(): ?string
    {
        return $this->party->user ?? $this->text('user') ?? $this->text('session_owner');
    }

    /** Whose conversation it is. */
    public function owner(): ?string
    {
        return $this->party->owner ?? $this->user();
    }

    public function subject(): mixed
    {
        return $this->request['subject'] ?? null;
    }

    public function attempt(): int
    {
        $attempt = $this->request['attempt'] ?? null;

        return is_int($attempt) && $attempt <= self::MOST_ATTEMPTS ? max(1, $attempt) : 1;
    }

    /** The session that the request names and that its run writes; null for a new one, and for a fork. */
    public function session(): ?string
    {
        $session = (array) ($this->request['session'] ?? []);
        $named = ($session['fork'] ?? false) === true ? null : $session['resume'] ?? $session['id'] ?? null;

        return is_string($named) && $named !== '' ? $named : null;
    }

    /** Whether a tool is run, and no model is asked. */
    public function isOfTool(): bool
    {
        return isset($this->request['tool']) && !isset($this->request['prompt']);
    }

    /** @param array<string, mixed> $request */
    private static function questionOf(array $request): mixed
    {
        return match (true) {
            isset($request['prompt']) => $request['prompt'],
            isset($request['tool']) => [
                'tool' => $request['tool'],
                'input' => $request['input'] ?? new \stdClass(),
            ],
            isset($request['skill']) => $request['input'] ?? null,
            default => null,
        };
    }
}
