<?php

declare(strict_types=1);

namespace AgentWorkers\Fleet;

/**
 * What is known of runs. Their requests, which may be large, are read when they are asked for.
 *
 * @internal
 */
final class RunList
{
    public function __construct(private readonly Connection $redis)
    {
    }

    /** @return list<JobStatus> those that run, and then those that were submitted last */
    public function latest(int $limit): array
    {
        $key = $this->redis->key('latest');
        $latest = $this->redis->ask(static fn (\Redis $redis): mixed => $redis->zRevRange($key, 0, $limit - 1));
        $names = array_values(array_unique([...$this->running(), ...$latest]));
        $found = array_filter($this->of(array_slice($names, 0, $limit)));
        $rank = static fn (JobStatus $job): int => $job->isRunning() ? 0 : 1;
        usort($found, static fn (JobStatus $one, JobStatus $other): int
            => [$rank($one), $other->submittedAt] <=> [$rank($other), $one->submittedAt]);

        return $found;
    }

    /** @return list<DeadRun> those that failed last first */
    public function dead(int $limit): array
    {
        $key = $this->redis->key('dead');
        $failed = $this->redis->ask(
            static fn (\Redis $redis): mixed => $redis->zRevRange($key, 0, $limit - 1, ['withscores' => true]),
        );
        $known = $this->of(array_map(strval(...), array_keys($failed)));
        $found = [];
        foreach ($failed as $run => $ms) {
            $found[] = new DeadRun((string) $run, Moment::of((int) $ms), $known[$run] ?? null);
        }

        return $found;
    }

    /** @return list<string> */
    private function running(): array
    {
        $queues = $this->redis->key('queues');
        $names = $this->redis->ask(static fn (\Redis $redis): mixed => $redis->sMembers($queues));
        $keys = array_map(fn (string $name): string => $this->redis->key("queue:$name:running"), $names);

        return $keys === [] ? [] : $this->redis->ask(static fn (\Redis $redis): mixed => $redis->sUnion(...$keys));
    }

    /**
     * @param list<string> $names
     *
     * @return array<string, JobStatus|null> by the runs; null where there is none, any more
     */
    public function of(array $names): array
    {
        if ($names === []) {
            return [];
        }
        $told = $this->redis->ask(function (\Redis $redis) use ($names): array {
            $redis->multi(\Redis::PIPELINE);
            foreach ($names as $name) {
                $redis->hMGet($this->redis->ofRun($name, 'job'), JobStatus::FIELDS);
            }

            return $redis->exec();
        });
        $found = [];
        foreach ($names as $at => $name) {
            $isThere = is_string($told[$at]['state'] ?? null);
            $found[$name] = $isThere ? new JobStatus($name, $told[$at], $this->more($name)) : null;
        }

        return $found;
    }

    /** @return \Closure(string): ?string reads another field of a run's job */
    private function more(string $run): \Closure
    {
        $key = $this->redis->ofRun($run, 'job');

        return function (string $field) use ($key): ?string {
            $found = $this->redis->ask(static fn (\Redis $redis): mixed => $redis->hGet($key, $field));

            return is_string($found) ? $found : null;
        };
    }
}
