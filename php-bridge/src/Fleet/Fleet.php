<?php

declare(strict_types=1);

namespace AgentWorkers\Fleet;

use AgentWorkers\Event\AppToolCall;
use AgentWorkers\Event\Done;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Event\ToolResult;
use AgentWorkers\Exception\FleetException;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Exception\NotDeadException;
use AgentWorkers\Exception\RunOverException;
use AgentWorkers\Exception\RunTakenException;
use AgentWorkers\Request;
use AgentWorkers\Run\AnswerText;
use AgentWorkers\Run\Ending;

/**
 * The fleet: jobs in Redis that any machine runs, with `agent-workers fleet work`. Submits them, follows them from
 * anywhere, and tells them something.
 */
final class Fleet
{
    public const PREFIX = 'agent-workers';
    /** @internal */
    public const NO_KEYS = 'A job of the fleet carries no key: it would lie in Redis, for all who read it. Keep the '
        . 'key on the machines that run jobs, and send its name: JobOptions::credential().';
    private const DAY_S = 86_400.0;

    private Connection $redis;

    /**
     * @param string|array<string, mixed> $redis address, such as redis://user:password@host:6379/0, rediss://… or
     *     unix:///run/redis.sock; or the settings of a connection, as `database.redis` of Laravel has them
     * @param string $prefix what the fleet's keys in Redis begin with
     * @param float $patience seconds for which Redis may be away
     * @param float $keepS seconds for which a run is kept that is stopped before it began
     *
     * @throws InvalidArgumentException there is no such address
     * @throws LogicException PHP lacks the extension redis
     */
    public function __construct(
        #[\SensitiveParameter]
        string|array $redis,
        string $prefix = self::PREFIX,
        float $patience = 30.0,
        private readonly float $keepS = self::DAY_S,
    ) {
        $address = is_string($redis) ? Address::of($redis) : Address::ofSettings($redis);
        $this->redis = new Connection($address, $prefix, $patience);
    }

    /** Returns the same fleet for one who waits for Redis for so many seconds, such as a page. */
    public function patience(float $seconds): self
    {
        $copy = clone $this;
        $copy->redis = new Connection($this->redis->address, $this->redis->prefix, $seconds);

        return $copy;
    }

    /**
     * Has a request run by the fleet, once: the same request with the same `run` is the same job.
     *
     * @param string $worker that runs it; a skill is run by agent-skill
     *
     * @throws FleetException Redis cannot be reached
     * @throws RunTakenException the request's `run` is that of another job
     * @throws InvalidArgumentException it cannot be written as JSON, or has a key
     */
    public function submit(Request $request, ?JobOptions $job = null, string $worker = 'agent-chat'): Submitted
    {
        if ($request->hasCredential()) {
            throw new InvalidArgumentException(self::NO_KEYS);
        }
        $job ??= JobOptions::make();
        $request = is_string($request->get('run')) ? $request : $request->run(self::uuid());
        $run = (string) $request->get('run');
        $worker = $request->get('skill') !== null && $worker === 'agent-chat' ? 'agent-skill' : $worker;
        $document = ['worker' => $worker] + $job->toArray() + $request->toArray();
        $text = static fn (string $field): string => is_string($request->get($field)) ? $request->get($field) : '';
        $more = $job->keep('echo', self::echoOf($request))->keep('skill', $text('skill'))->more();
        [$said, $state] = $this->redis->script('submit', [
            $run,
            Request::fromArray($document)->toJson(),
            ...$job->arguments($worker, $text('user'), $text('traceparent')),
            ...$more,
        ]);

        return $said === 'other' ? throw new RunTakenException($run) : new Submitted($run, $said === 'new', $state);
    }

    /**
     * Returns what is known of a run; null where there is none, or it has ended too long ago.
     *
     * @throws FleetException
     */
    public function status(string $run): ?JobStatus
    {
        return (new RunList($this->redis))->of([$run])[$run];
    }

    /**
     * Looks at the fleet: its queues, and what holds them up.
     *
     * @throws FleetException
     */
    public function overview(): Overview
    {
        return (new Look($this->redis))->overview();
    }

    /**
     * Returns the runs that run, and then those that were submitted last, of which the fleet remembers a thousand.
     *
     * @return list<JobStatus>
     *
     * @throws FleetException
     */
    public function latest(int $limit = 50): array
    {
        return (new RunList($this->redis))->latest($limit);
    }

    /**
     * Returns runs that failed for good and that nobody has looked at yet, those that failed last first.
     *
     * @return list<DeadRun>
     *
     * @throws FleetException
     */
    public function dead(int $limit = 100): array
    {
        return (new RunList($this->redis))->dead($limit);
    }

    /**
     * Whether a run is among those that failed for good and that nobody has looked at yet.
     *
     * @throws FleetException
     */
    public function isDead(string $run): bool
    {
        return (new DeadRuns($this->redis))->has($run);
    }

    /**
     * Submits the job of a run that failed for good again, as a new run, without the times that it waited for then.
     * However often that is done, it becomes one run.
     *
     * @throws FleetException
     * @throws NotDeadException it is not among those, or its job is not kept any more
     */
    public function retry(string $run): Submitted
    {
        return (new DeadRuns($this->redis))->retry($run);
    }

    /**
     * Takes a run off the list of those that failed for good; its job goes when its events do.
     *
     * @throws FleetException
     * @throws NotDeadException it is not among those
     */
    public function drop(string $run): void
    {
        (new DeadRuns($this->redis))->drop($run);
    }

    /**
     * Follows a run to its end, whoever submitted it. Redis wakes it for each event; where Redis goes away and comes
     * back, it goes on after the last one.
     *
     * @param string $after id of the last event that you have, as the generator's key names it
     *
     * @return \Generator<string, Event> events by their ids, `<attempt>-<seq>`
     *
     * @throws RunOverException there is no such run, any more
     * @throws FleetException Redis was away for too long
     */
    public function events(string $run, string $after = '0'): \Generator
    {
        $feed = $this->feed($run, EntryId::of($after));
        while (!$feed->isOver()) {
            foreach ($feed->next(Connection::BLOCK_MS) as $id => $line) {
                $event = EventFactory::fromJson($line);
                yield $id => $event;
                if ($event->isTerminal()) {
                    return;
                }
            }
        }
        if ($feed->isGone()) {
            throw new RunOverException(false);
        }
    }

    /**
     * Tells a run something: a control message of the contract, such as ['type' => 'steer', 'text' => '…']. Without an
     * `id` it gets one.
     *
     * @param array<string, mixed> $message
     *
     * @throws FleetException
     */
    public function control(string $run, array $message): Told
    {
        $type = $message['type'] ?? null;
        if (!is_string($type) || $type === '') {
            throw new InvalidArgumentException('The message has no type. Pass one, such as [\'type\' => \'abort\'].');
        }
        $message += ['id' => self::uuid()];
        $json = json_encode($message, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES);

        return $this->tell($run, $type, $json);
    }

    /**
     * Stops a run, from anywhere: it ends with `aborted`. One that has not begun ends at once.
     *
     * @throws FleetException
     */
    public function abort(string $run): Told
    {
        return $this->control($run, ['type' => 'abort']);
    }

    /**
     * @internal
     *
     * @param string $json the whole message
     */
    public function tell(string $run, string $type, string $json): Told
    {
        // Redis numbers it, where the run has not begun.
        $last = EventFactory::compose($run, 0, 'aborted', Ending::stopped())->toJson();

        return Told::from($this->redis->script('control', [$run, $type, $json, $last, (int) ($this->keepS * 1000)]));
    }

    /**
     * Returns the terminal event of a run that has ended, with the whole text of its answer; null before.
     *
     * @throws FleetException
     */
    public function outcome(string $run): ?Event
    {
        $line = array_values($this->last($run))[0]['event'] ?? null;
        $last = is_string($line) ? EventFactory::fromJson($line) : null;
        if (!$last instanceof Done || $last->truncatedBytes === null) {
            return $last?->isTerminal() ? $last : null;
        }
        $answer = new AnswerText();
        array_map($answer->add(...), array_values($this->all($run, '-')));

        return $answer->complete($last);
    }

    /** @internal whether the run has an event after this one */
    public function hasAfter(string $run, EntryId $after): bool
    {
        $last = EntryId::of((string) array_key_last($this->last($run)));

        return [$last->attempt, $last->seq] > [$after->attempt, $after->seq];
    }

    /**
     * Returns the calls of the application's tools that were told up to an event, and not answered yet.
     *
     * @internal
     *
     * @return list<AppToolCall>
     */
    public function openCalls(string $run, EntryId $upTo): array
    {
        $open = [];
        foreach ($this->all($run, "$upTo->attempt-0") as $id => $event) {
            if ($event instanceof AppToolCall && EntryId::of((string) $id)->seq <= $upTo->seq) {
                $open[$event->toolUseId ?? $event->callId] = $event;
            } elseif ($event instanceof ToolResult) {
                unset($open[$event->toolUseId]);
            }
        }

        return array_values($open);
    }

    /**
     * @internal
     *
     * @param string $from id of the first entry
     *
     * @return array<string, Event> what is there now, by the ids of the entries
     */
    public function all(string $run, string $from): array
    {
        $key = $this->redis->ofRun($run);
        $entries = $this->redis->ask(static fn (\Redis $redis): mixed => $redis->xRange($key, $from, '+'));
        $lines = array_filter(array_map(
            static fn (array $fields): ?string => $fields['event'] ?? null,
            is_array($entries) ? $entries : [],
        ));

        return array_map(EventFactory::fromJson(...), $lines);
    }

    /**
     * Returns the words of a `steer` that the run was sent, as far as they are still there.
     *
     * @internal
     *
     * @param string $id of the message
     */
    public function wordOf(string $run, string $id): ?string
    {
        $key = $this->redis->ofRun($run, 'control');
        $sent = $this->redis->ask(static fn (\Redis $redis): mixed => $redis->xRange($key, '-', '+'));
        foreach (is_array($sent) ? $sent : [] as $entry) {
            $message = json_decode($entry['message'] ?? '', true);
            if (is_array($message) && ($message['id'] ?? null) === $id && is_string($message['text'] ?? null)) {
                return $message['text'];
            }
        }

        return null;
    }

    /** @return array<string, array<string, string>> its last entry */
    private function last(string $run): array
    {
        $key = $this->redis->ofRun($run);
        $found = $this->redis->ask(static fn (\Redis $redis): mixed => $redis->xRevRange($key, '+', '-', 1));

        return is_array($found) ? $found : [];
    }

    /** @internal */
    public function feed(string $run, EntryId $after): Feed
    {
        return new Feed($this->redis, $run, $after);
    }

    /** @internal */
    public function connection(): Connection
    {
        return $this->redis;
    }

    /** What an event repeats that ends a run before a worker has it, in the form in which the scripts append it. */
    private static function echoOf(Request $request): string
    {
        $echoed = $request->echoed();
        $flags = JSON_PARTIAL_OUTPUT_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES;

        return $echoed === [] ? '' : ',' . substr((string) json_encode($echoed, $flags), 1, -1);
    }

    private static function uuid(): string
    {
        $bytes = random_bytes(16);
        $bytes[6] = chr(ord($bytes[6]) & 0x0f | 0x40);
        $bytes[8] = chr(ord($bytes[8]) & 0x3f | 0x80);

        return vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(bin2hex($bytes), 4));
    }
}
