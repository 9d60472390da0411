<?php

declare(strict_types=1);

namespace AgentWorkers\Batch;

use AgentWorkers\Exception\InvalidArgumentException;

/** What a batch may use up. What is null is as agent-batch has it. */
final class BatchOptions
{
    /** As agent-batch has it. */
    public const GRACE_S = 30.0;

    /**
     * @param int|null $concurrency runs at once; as many as fit here
     * @param string|null $checkpoint a file that keeps what was done: with the same requests in the same order, a batch
     *     that was killed goes on where it stopped. What the loop has dealt with is noted beside it, in a file whose
     *     name ends in `.taken`
     * @param int|null $attempts how often a request is tried; 4
     * @param float|null $maxCostUsd no run begins once all together have cost so much
     * @param int|null $maxErrors nor once so many requests have failed
     * @param float|null $deadlineS seconds after which it stops
     * @param float|null $graceS seconds that runs under way get to end where it is stopped; 30
     */
    public function __construct(
        public readonly ?int $concurrency = null,
        public readonly ?string $checkpoint = null,
        public readonly ?int $attempts = null,
        public readonly ?float $maxCostUsd = null,
        public readonly ?int $maxErrors = null,
        public readonly ?float $deadlineS = null,
        public readonly ?float $graceS = null,
    ) {
        if ($checkpoint === '') {
            throw new InvalidArgumentException('The checkpoint of a batch has no name. Pass a path, or null for none.');
        }
    }

    /** @return string|null the file of what the loop has dealt with */
    public function taken(): ?string
    {
        return $this->checkpoint === null ? null : "$this->checkpoint.taken";
    }

    /**
     * @internal
     *
     * @return list<string> for the command line
     */
    public function arguments(): array
    {
        $arguments = [];
        $values = [
            'concurrency' => $this->concurrency,
            'checkpoint' => $this->checkpoint,
            'taken' => $this->taken(),
            'attempts' => $this->attempts,
            'max-cost-usd' => $this->maxCostUsd,
            'max-errors' => $this->maxErrors,
            'deadline' => $this->deadlineS,
            'grace' => $this->graceS,
        ];
        foreach (array_filter($values, static fn (mixed $value): bool => $value !== null) as $name => $value) {
            $arguments[] = "--$name=" . (is_float($value) ? json_encode($value, JSON_THROW_ON_ERROR) : $value);
        }

        return $arguments;
    }
}
