<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Broadcast;

use AgentWorkers\Event\EventFactory;
use AgentWorkers\Exception\FleetException;
use AgentWorkers\Fleet\Connection;
use AgentWorkers\Fleet\EntryId;
use AgentWorkers\Laravel\Fleet\FleetAccess;
use AgentWorkers\Laravel\Fleet\JobRecords;
use AgentWorkers\Laravel\Stream\HiddenFolder;
use Illuminate\Bus\Queueable;
use Illuminate\Contracts\Bus\Dispatcher;
use Illuminate\Contracts\Queue\ShouldQueue;
use Illuminate\Queue\InteractsWithQueue;
use Illuminate\Queue\Jobs\SyncJob;

/**
 * Broadcasts a run of the fleet, from the application's queue. A run may wait for hours, so it takes turns: after a
 * while the job queues itself anew, and goes on after the last event that was sent.
 */
class BroadcastRun implements ShouldQueue
{
    use InteractsWithQueue;
    use Queueable;

    private const TURN_S = 45.0;
    private const TICK_MS = 150;

    /** @var int */
    public $tries = 10;

    /** @var int|list<int> */
    public $backoff = [1, 2, 5, 10];

    /** @var int */
    public $timeout = 90;

    /** @param list<string> $channels */
    public function __construct(
        public readonly string $run,
        public readonly array $channels,
        public string $after = '0',
    ) {
    }

    /** @throws FleetException Redis was away for too long: the job is tried again */
    public function handle(FleetAccess $access, Broadcasts $broadcasts, Dispatcher $jobs, JobRecords $records): void
    {
        $fleet = $access->fleet();
        $redis = $fleet->connection();
        $place = $redis->ofRun($this->run, 'broadcast:' . md5(implode(' ', $this->channels)));
        // What an earlier try has sent is not sent again.
        $known = $redis->ask(static fn (\Redis $redis): mixed => $redis->get($place));
        $after = EntryId::of(is_string($known) ? $known : $this->after);
        $status = $fleet->status($this->run);
        $writing = $status === null ? null : $records->begin($status, $after);
        $folder = $status?->kept('hidden');
        $hidden = $folder === null ? null : new HiddenFolder($folder);
        $frames = $broadcasts->frames($this->run, $this->channels, max(1, $after->attempt));
        $feed = $fleet->feed($this->run, $after);
        $mayWait = $this->job === null || $this->job instanceof SyncJob;
        $end = $mayWait ? INF : microtime(true) + self::TURN_S;
        while (!$feed->isOver()) {
            foreach ($feed->next(self::TICK_MS) as $id => $line) {
                $event = EventFactory::fromJson($line);
                $writing?->note($event);
                $frames->add(Broadcasts::shown($event, $hidden));
                $last = (string) $id;
                if ($event->isTerminal()) {
                    $this->keep($redis, $place, $last);

                    return;
                }
            }
            $frames->flush();
            isset($last) && $this->keep($redis, $place, $last);
            if (microtime(true) > $end) {
                $jobs->dispatch((new self($this->run, $this->channels, $last ?? (string) $after))
                    ->onConnection($this->connection)->onQueue($this->queue));

                return;
            }
        }
    }

    private function keep(Connection $redis, string $place, string $id): void
    {
        $redis->ask(static fn (\Redis $redis): mixed => $redis->set($place, $id, ['EX' => 86_400]));
    }
}
