<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Events;

use AgentWorkers\Batch\BatchResult;
use AgentWorkers\Request;
use Illuminate\Contracts\Config\Repository;

/**
 * Makes Laravel events of the results of one batch. It remembers what is under way, which is little, but nothing of
 * what is out in the economy lane: that may be all of it, for a day.
 *
 * @internal
 */
final class BatchWatch
{
    private bool $remembers = true;
    /** @var array<array-key, array<string, mixed>> what requests say of themselves, by their keys */
    private array $underWay = [];

    public function __construct(private readonly Announcer $announcer, private readonly Repository $config)
    {
    }

    public function begin(bool $isEconomy): void
    {
        $this->remembers = !$isEconomy;
    }

    /** @param string|null $worker its name in the configuration, if it is known */
    public function sent(mixed $key, Request $request, ?string $worker): void
    {
        if ($this->remembers && (is_int($key) || is_string($key))) {
            $facts = Announcer::facts('', $worker ?? '', $request);
            $this->underWay[$key] = array_filter($facts, static fn (mixed $fact): bool => $fact !== '');
        }
    }

    public function ended(BatchResult $result): void
    {
        $facts = $this->underWay[$result->key] ?? [];
        unset($this->underWay[$result->key]);
        $this->announcer->batchResult($result, $facts + ['worker' => $this->nameOf((string) $result->worker)]);
    }

    private function nameOf(string $program): string
    {
        $binaries = array_map(
            static fn (mixed $profile): mixed => $profile['binary'] ?? null,
            (array) $this->config->get('agent-workers.workers'),
        );

        return (string) (array_search($program, $binaries, true) ?: $program);
    }
}
