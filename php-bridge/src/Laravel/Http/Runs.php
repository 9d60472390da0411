<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Fleet\JobStatus;
use AgentWorkers\Laravel\Fleet\FleetAccess;
use AgentWorkers\Laravel\Registry;
use AgentWorkers\Laravel\Stream\Store;
use Illuminate\Http\Request;

/**
 * Finds a run for a request, wherever it runs, if the request may see it: the owner may, and whom the application says.
 * Somebody else's run is as one that there is not.
 *
 * @internal
 */
final class Runs
{
    public function __construct(
        private readonly Store $store,
        private readonly FleetAccess $fleet,
        private readonly Registry $registry,
    ) {
    }

    /** Returns a run that the request may follow. */
    public function toFollow(Request $request, string $run): ?FoundRun
    {
        return $this->find($request, $run, $this->registry->mayFollow);
    }

    /** Returns a run that the request may stop, answer and steer. */
    public function toAnswer(Request $request, string $run): ?FoundRun
    {
        return $this->find($request, $run, $this->registry->mayAnswer);
    }

    /** Returns an owner's run. */
    public function ownedBy(?string $owner, string $run): ?FoundRun
    {
        if ($owner === null) {
            return null;
        }
        if ($this->store->head($owner, $run) !== null) {
            return new FoundRun($run, $owner, null, true);
        }
        $job = $this->inFleet($run);

        return $job?->owner === $this->fleet->owner($owner) ? new FoundRun($run, $owner, $job, true) : null;
    }

    /** @param (\Closure(mixed, string): mixed)|null $isAllowed of somebody who is not the owner */
    private function find(Request $request, string $run, ?\Closure $isAllowed): ?FoundRun
    {
        $own = $this->ownedBy(Owner::of($request), $run);
        if ($own !== null || $isAllowed === null || $isAllowed($request->user(), $run) !== true) {
            return $own;
        }
        $owner = $this->store->ownerOf($run);
        if ($owner !== null && $this->store->head($owner, $run) !== null) {
            return new FoundRun($run, $owner, null, false);
        }
        $job = $this->inFleet($run);

        return $job === null ? null : new FoundRun($run, (string) $job->owner, $job, false);
    }

    /** Returns a run of the fleet that this application has submitted, or somebody at a terminal. */
    private function inFleet(string $run): ?JobStatus
    {
        $job = $this->fleet->isThere() ? $this->fleet->fleet()->status($run) : null;

        return $job !== null && $this->fleet->isOurs($job) ? $job : null;
    }
}
