<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Laravel\Fleet\Messages;
use Symfony\Component\HttpFoundation\Response;

final class PermissionController
{
    /** Takes the answer to a question of a run, whatever runs it. */
    public function __invoke(
        PermissionAnswer $request,
        Approvals $approvals,
        Runs $runs,
        Messages $messages,
        string $run,
        string $permission,
    ): Response {
        [$found, $actor] = [$runs->toAnswer($request, $run), Actor::of($request)];
        if ($found?->job !== null) {
            return $messages->decide($found->job, $permission, $request->decision(), $actor)->response();
        }
        $owner = $found->owner ?? Owner::of($request);

        return $approvals->answer($owner, $run, $permission, $request->decision(), $actor)->response();
    }
}
