<?php

declare(strict_types=1);

namespace AgentWorkers\Fleet;

/**
 * Looks at the whole fleet. What begins or ends meanwhile may be counted twice or not at all.
 *
 * @internal
 */
final class Look
{
    private const AT_ONCE = 1000;

    /** @var array<string, array{slots: int, running: int}> */
    private array $machines = [];
    /** @var array<string, int> jobs that could begin, by tenant */
    private array $waiting = [];

    public function __construct(private readonly Connection $redis)
    {
    }

    public function overview(): Overview
    {
        [$time, $limits, $names, $paused, $dead] = $this->ask(fn (\Redis $redis) => $redis->time()
            ->hGetAll($this->redis->key('limits'))
            ->sMembers($this->redis->key('queues'))
            ->hGetAll($this->redis->key('paused'))
            ->zCard($this->redis->key('dead')));
        $now = (int) $time[0] * 1000 + intdiv((int) $time[1], 1000);
        $limits = array_map(intval(...), $limits);
        sort($names);
        $queues = [];
        foreach ($names as $name) {
            $queues[$name] = $this->queue($name, $now, $limits["queue:$name"] ?? $limits['queue:*'] ?? null);
        }
        $paused = array_filter(array_map(intval(...), $paused), static fn (int $till): bool => $till > $now);
        ksort($paused);
        ksort($this->machines);

        return new Overview(
            Moment::of($now),
            $queues,
            $this->full($limits),
            array_map(Moment::of(...), $paused),
            array_map(static fn (array $of): MachineStatus => new MachineStatus(...$of), $this->machines),
            $dead,
        );
    }

    private function queue(string $name, int $now, ?int $limit): QueueStatus
    {
        $of = fn (string $what): string => $this->redis->key("queue:$name:$what");
        [$lanes, $scheduled, $running, $asking, $slots, $ended] = $this->ask(
            static fn (\Redis $redis) => $redis->zRange($of('lanes'), 0, -1)
                ->zCard($of('later'))
                ->sMembers($of('running'))
                ->sCard($of('asking'))
                ->zRangeByScore($of('slots'), (string) $now, '+inf')
                ->hGetAll($of('ended')),
        );
        foreach ($slots as $slot) {
            $this->count($slot, 'slots');
        }
        $begun = $this->running($running);
        $waiting = $this->inLanes($name, $lanes) + count($running) - $begun; // what is on its way to a slot waits, too
        ksort($ended);
        $ended = array_map(intval(...), $ended);

        return new QueueStatus($waiting, $scheduled, $begun, $asking, count($slots), $limit, $ended);
    }

    /** @param list<string> $lanes tenant and credential of each, with a newline between them */
    private function inLanes(string $queue, array $lanes): int
    {
        $counts = $this->each($lanes, fn (\Redis $redis, string $lane) => $redis
            ->zCard($this->redis->key("queue:$queue:lane:$lane")));
        foreach ($lanes as $at => $lane) {
            $tenant = explode("\n", $lane, 2)[0];
            $this->waiting[$tenant] = ($this->waiting[$tenant] ?? 0) + $counts[$at];
        }

        return array_sum($counts);
    }

    /**
     * Counts the runs that slots have in hand, for their machines.
     *
     * @param list<string> $runs
     */
    private function running(array $runs): int
    {
        $found = $this->each($runs, fn (\Redis $redis, string $run) => $redis
            ->hMGet($this->redis->ofRun($run, 'job'), ['state', 'owner', 'tenant']));
        $begun = 0;
        foreach ($found as ['state' => $state, 'owner' => $owner, 'tenant' => $tenant]) {
            $this->waiting[(string) $tenant] ??= 0;
            if ($state === 'running') {
                $begun++;
                $this->count($owner ?: '?', 'running');
            }
        }

        return $begun;
    }

    /**
     * @param array<string, int> $limits
     *
     * @return array<string, TenantStatus> those that have as many runs as they may
     */
    private function full(array $limits): array
    {
        $found = [];
        ksort($this->waiting);
        foreach ($this->waiting as $name => $waiting) {
            $most = $limits["tenant:$name"] ?? $limits['tenant:*'] ?? null;
            if ((string) $name === '' || $most === null) {
                continue;
            }
            $key = $this->redis->key("tenant:$name:running");
            $running = $this->redis->ask(static fn (\Redis $redis): int => (int) $redis->sCard($key));
            $running < $most || $found[$name] = new TenantStatus($waiting, $running, $most);
        }

        return $found;
    }

    private function count(string $consumer, string $what): void
    {
        $machine = preg_replace('~/[^/]*$~', '', $consumer) ?: $consumer;
        $this->machines[$machine] ??= ['slots' => 0, 'running' => 0];
        $this->machines[$machine][$what]++;
    }

    /**
     * @param list<string> $names
     * @param \Closure(\Redis, string): \Redis $question
     *
     * @return list<mixed>
     */
    private function each(array $names, \Closure $question): array
    {
        $answers = [];
        foreach (array_chunk($names, self::AT_ONCE) as $some) {
            $asked = $this->ask(static function (\Redis $redis) use ($some, $question): \Redis {
                foreach ($some as $name) {
                    $question($redis, $name);
                }

                return $redis;
            });
            array_push($answers, ...$asked);
        }

        return $answers;
    }

    /**
     * @param \Closure(\Redis): \Redis $questions
     *
     * @return list<mixed>
     */
    private function ask(\Closure $questions): array
    {
        return $this->redis->ask(static fn (\Redis $redis): array
            => $questions($redis->multi(\Redis::PIPELINE))->exec());
    }
}
