<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Fleet\JobStatus;
use AgentWorkers\Laravel\Fleet\FleetAccess;
use AgentWorkers\Laravel\Stream\HiddenFolder;
use AgentWorkers\Laravel\Stream\Store;
use AgentWorkers\Laravel\Words;
use AgentWorkers\Run\Ending;

/**
 * How far a run is, as its owner is told: the same whatever runs it.
 *
 * @internal
 */
final class RunStatus
{
    public function __construct(
        private readonly Store $store,
        private readonly FleetAccess $fleet,
        private readonly RunLinks $links,
    ) {
    }

    /** @return array<string, mixed> */
    public function of(FoundRun $run): array
    {
        $own = $run->job === null ? $this->held($run) : $this->inFleet($run->job);
        $last = $own['event'] ?? null;
        if ($last instanceof ErrorEvent || $last instanceof Aborted) {
            $own += ['message' => Words::ofFailure($last)];
        }
        $known = array_filter($own, static fn (mixed $value): bool => $value !== null);

        return ['run' => $run->id] + $known + $this->links->of($run->id);
    }

    /** @return array<string, mixed> */
    private function inFleet(JobStatus $job): array
    {
        $folder = $job->kept('hidden');
        $last = $job->isOver() ? $this->fleet->fleet()->outcome($job->run) : null;

        return [
            'state' => $job->state,
            'attempt' => $job->attempt ?: null,
            'submitted_at' => self::written($job->submittedAt),
            'run_at' => self::written($job->runAt),
            'expires_at' => self::written($job->expiresAt),
            'begun_at' => self::written($job->begunAt),
            'ended_at' => self::written($job->endedAt),
            'asking' => $job->isRunning() ? $job->asking : null,
            'event' => $last === null || $folder === null ? $last : (new HiddenFolder($folder))->of($last),
        ];
    }

    /** @return array<string, mixed> of a run that a process of this application holds, or held */
    private function held(FoundRun $run): array
    {
        $head = $this->store->head($run->owner, $run->id);
        $first = $head === null || $head['first'] > 0 ? null : $this->event($run, 0, false);
        $last = $head === null || !$head['ended'] ? null : $this->event($run, $head['next'] - 1, true);
        if ($last === null && $head !== null && Store::isLost($head)) {
            $last = EventFactory::compose($run->id, 1, 'error', Ending::cutShort());
        }
        $last = $last === null ? null : Words::ofOurs($last);

        return [
            'state' => $last === null ? 'running' : $last->type,
            'begun_at' => $first?->ts,
            'ended_at' => $last?->ts,
            'event' => $last,
        ];
    }

    private function event(FoundRun $run, int $page, bool $isLast): ?Event
    {
        $events = $this->store->page($run->owner, $run->id, $page) ?? [];

        return $events === [] ? null : EventFactory::fromJson($events[$isLast ? count($events) - 1 : 0]);
    }

    private static function written(?\DateTimeImmutable $time): ?string
    {
        return $time?->setTimezone(new \DateTimeZone('UTC'))->format('Y-m-d\TH:i:s.v\Z');
    }
}
