<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel;

use AgentWorkers\Batch\Batch;
use AgentWorkers\Batch\BatchOptions;
use AgentWorkers\Batch\BatchRunner;
use AgentWorkers\Batch\BatchTotals;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Laravel\Events\BatchWatch;
use AgentWorkers\Request;
use Illuminate\Support\LazyCollection;
use Illuminate\Support\Traits\Tappable;

/**
 * A batch that begins when it is iterated, which is once: the results, in the order in which they end, by the keys of
 * the requests.
 *
 * @template TKey of array-key
 * @template TValue
 *
 * @extends LazyCollection<TKey, TValue>
 */
final class PendingBatch extends LazyCollection
{
    use Tappable; // a collection's own tap() gives a copy of it, which would leave the options of this one alone

    /** @var (\Closure(BatchOptions): Batch)|null null of a collection that was made of a batch, such as by map() */
    private ?\Closure $begin = null;
    private ?BatchOptions $options = null;
    /** @var array<string, mixed> options that were set since, by name */
    private array $changes = [];
    private ?Batch $batch = null;

    /**
     * @internal Agents makes them
     *
     * @param iterable<array-key, Request> $requests
     */
    public static function of(
        BatchRunner $runner,
        iterable $requests,
        BatchOptions $options,
        BatchWatch $watch,
    ): self {
        $pending = new self();
        $pending->begin = static function (BatchOptions $options) use ($runner, $requests, $watch): Batch {
            $watch->begin($options->economy);

            return $runner->batch($requests, $options);
        };
        $pending->options = $options;
        $pending->source = static function () use ($pending, $watch): \Generator {
            foreach ($pending->begun() as $key => $result) {
                $watch->ended($result);
                yield $key => $result;
            }
        };

        return $pending;
    }

    /**
     * Has the provider answer when it has time, within a day and at half the price: what the engine messages runs, and
     * what needs neither tools nor a session. The rest runs at once, and totals() says why. Needs a checkpoint(). The
     * collection ends with the results that are there; pending() tells how many requests are out. Start it again with
     * the same requests for what has come since.
     *
     * @param bool $wait for all of them, up to a day
     */
    public function economy(bool $wait = false): self
    {
        return $this->set(['economy' => true, 'wait' => $wait]);
    }

    /** Sets the file that keeps what was done: see BatchOptions. */
    public function checkpoint(string $file): self
    {
        return $this->set(['checkpoint' => $file]);
    }

    /** How many requests are out in the economy lane; null before the end, and where the batch broke off. */
    public function pending(): ?int
    {
        $this->itself();

        return $this->batch?->pending();
    }

    /** What it came to; null before its end, and where it broke off. */
    public function totals(): ?BatchTotals
    {
        $this->itself();

        return $this->batch?->totals();
    }

    /** @param array<string, mixed> $options */
    private function set(array $options): self
    {
        $this->itself();
        if ($this->batch !== null) {
            throw new LogicException('The batch has begun. Set its options before the first result is asked for.');
        }
        $this->changes = $options + $this->changes;

        return $this;
    }

    private function begun(): Batch
    {
        return $this->batch ??= ($this->begin)($this->options->with(...$this->changes));
    }

    private function itself(): void
    {
        if ($this->begin === null) {
            throw new LogicException(
                'This collection was made of a batch. Keep what Agent::batch() returns, and call this method of it.',
            );
        }
    }
}
