<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Fleet;

use AgentWorkers\Event\Event;
use AgentWorkers\Exception\FleetException;
use AgentWorkers\Exception\RunOverException;
use AgentWorkers\Fleet\EntryId;
use AgentWorkers\Fleet\JobStatus;
use AgentWorkers\Laravel\Records\AgentRun;
use AgentWorkers\Laravel\Records\Facts;
use AgentWorkers\Laravel\Records\Party;
use AgentWorkers\Laravel\Records\Recorder;
use AgentWorkers\Laravel\Records\Writing;
use AgentWorkers\Run;

/**
 * Records runs of the fleet, by whoever reads them: several at once write the same rows.
 *
 * @internal
 */
final class JobRecords
{
    public function __construct(private readonly Recorder $recorder, private readonly FleetAccess $access)
    {
    }

    /** @param EntryId $after the last event that is not read here */
    public function follow(Run $run, JobStatus $job, EntryId $after): Run
    {
        return $this->recorder->isOn()
            ? $this->recorder->follow($run, $this->facts($job), $this->before($job, $after))
            : $run;
    }

    /** @param EntryId $after the last event that is not read here */
    public function begin(JobStatus $job, EntryId $after): ?Writing
    {
        return $this->recorder->isOn()
            ? $this->recorder->begin($this->facts($job), $this->before($job, $after))
            : null;
    }

    /**
     * Records what runs have said that nobody read to the end, as far as the fleet still has it.
     *
     * @return int how many runs
     *
     * @throws FleetException Redis is away
     */
    public function catchUp(): int
    {
        $count = 0;
        foreach (AgentRun::query()->where('status', 'running')->pluck('id') as $id) {
            $job = $this->access->fleet()->status((string) $id);
            if ($job === null || !$this->access->isOurs($job)) {
                continue;
            }
            try {
                $this->recorder->begin($this->facts($job), $this->access->fleet()->all($job->run, '-'));
                $count++;
            } catch (RunOverException) {
                // It has gone meanwhile.
            }
        }

        return $count;
    }

    /** The question was written when the job was submitted. */
    private function facts(JobStatus $job): Facts
    {
        $party = json_decode($job->kept('party') ?? '[]', true);
        $request = $job->request()->run($job->run);

        return Facts::of(
            $request,
            $job->worker,
            Party::fromArray((array) $party)->in($job->tenant),
            isAsked: false,
            ts: $job->submittedAt?->format('Y-m-d\TH:i:s.v\Z'),
            words: fn (string $id): ?string => $this->access->fleet()->wordOf($job->run, $id),
        );
    }

    /** @return \Generator<int, Event> what came before: a text that is read from its middle would have no beginning */
    private function before(JobStatus $job, EntryId $after): \Generator
    {
        if ($after->attempt === 0) {
            return;
        }
        foreach ($this->access->fleet()->all($job->run, "$after->attempt-0") as $id => $event) {
            $at = EntryId::of((string) $id);
            if ([$at->attempt, $at->seq] > [$after->attempt, $after->seq]) {
                return;
            }
            yield $event;
        }
    }
}
