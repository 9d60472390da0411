<?php

declare(strict_types=1);

namespace AgentWorkers\Fleet;

use AgentWorkers\Exception\NotDeadException;
use AgentWorkers\Request;

/**
 * What a person does with runs that failed for good.
 *
 * @internal
 */
final class DeadRuns
{
    /** What the application has kept with a job, beside what the job says. */
    private const KEPT = ['echo', 'skill', 'owned_by', 'hidden', 'party'];
    /** The namespace of the ids of second runs, as `agent-workers fleet dead retry` has it: uuid.NAMESPACE_OID. */
    private const SPACE = '6ba7b8129dad11d180b400c04fd430c8';

    public function __construct(private readonly Connection $redis)
    {
    }

    public function has(string $run): bool
    {
        $key = $this->redis->key('dead');

        return $this->redis->ask(static fn (\Redis $redis): bool => $redis->zScore($key, $run) !== false);
    }

    public function retry(string $run): Submitted
    {
        if (!$this->has($run)) {
            throw new NotDeadException($run);
        }
        $job = $this->redis->ofRun($run, 'job');
        $fields = $this->redis->ask(static fn (\Redis $redis): mixed => $redis->hGetAll($job));
        if (!isset($fields['job'])) {
            throw new NotDeadException($run, isKept: false);
        }
        $again = self::nameOfRetry($run);
        // Whoever submits it again has the same id, so that it becomes one run.
        [$said, $state] = $this->redis->script('submit', self::arguments($run, $again, $fields));
        $this->redis->script('settle', [$run, $again]);

        return new Submitted($again, $said === 'new', $state);
    }

    public function drop(string $run): void
    {
        if ($this->redis->script('settle', [$run, '']) !== 'settled') {
            throw new NotDeadException($run);
        }
    }

    /**
     * @param array<string, string> $fields of the failed run's job
     *
     * @return list<string> what submit.lua takes: the same job, without the times that it waited for then
     */
    private static function arguments(string $run, string $again, array $fields): array
    {
        $document = (array) json_decode($fields['job']);
        unset($document['run_at'], $document['expires_at']);
        $of = static fn (string $name): string => $fields[$name] ?? '';
        $more = ['retry_of', $run];
        foreach (array_intersect(self::KEPT, array_keys($fields)) as $name) {
            array_push($more, $name, $fields[$name]);
        }

        return [
            $again,
            Request::fromArray(['run' => $again] + $document)->toJson(),
            $of('queue'),
            $of('tenant'),
            $of('credential'),
            $of('priority'),
            $of('attempts'),
            '',
            '',
            $of('worker'),
            $of('user'),
            $of('traceparent'),
            $of('escalates'),
            ...$more,
        ];
    }

    /** A UUID of version 5. */
    private static function nameOfRetry(string $run): string
    {
        $bytes = substr(sha1(hex2bin(self::SPACE) . "retry of $run", true), 0, 16);
        $bytes[6] = chr(ord($bytes[6]) & 0x0f | 0x50);
        $bytes[8] = chr(ord($bytes[8]) & 0x3f | 0x80);

        return vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(bin2hex($bytes), 4));
    }
}
