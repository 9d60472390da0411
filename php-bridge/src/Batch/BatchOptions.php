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
     * @param bool $economy has the provider answer within a day, at half the price, what the engine messages runs and
     *     what needs neither tools nor a session; the rest runs at once, and `BatchTotals::$notes` says why. The batch
     *     ends with the results that are there: start it again, with the same requests and checkpoint, for what has
     *     come since
     * @param bool $wait with economy: the batch ends when all results are there
     */
    public function __construct(
        public readonly ?int $concurrency = null,
        public readonly ?string $checkpoint = null,
        public readonly ?int $attempts = null,
        public readonly ?float $maxCostUsd = null,
        public readonly ?int $maxErrors = null,
        public readonly ?float $deadlineS = null,
        public readonly ?float $graceS = null,
        public readonly bool $economy = false,
        public readonly bool $wait = false,
    ) {
        if ($checkpoint === '') {
            throw new InvalidArgumentException('The checkpoint of a batch has no name. Pass a path, or null for none.');
        }
        if ($economy && $checkpoint === null) {
            throw new InvalidArgumentException(
                'A batch in the economy lane needs a checkpoint: it keeps what is out until the answers come, up to a '
                    . 'day later. Pass checkpoint: $file, or in Laravel call ->checkpoint($file).',
            );
        }
        if ($wait && !$economy) {
            throw new InvalidArgumentException('Only a batch in the economy lane waits. Pass economy: true, too.');
        }
    }

    /** @param mixed ...$options by the names of the constructor's parameters */
    public function with(mixed ...$options): self
    {
        return new self(...$options + get_object_vars($this));
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
        $flags = array_keys(array_filter(['--economy' => $this->economy, '--wait' => $this->wait]));

        return [...$arguments, ...$flags];
    }
}
