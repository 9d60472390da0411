<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use Symfony\Component\HttpFoundation\Response;

final class PermissionController
{
    /** Takes the answer to a question of a run that another request streams. */
    public function __invoke(
        PermissionAnswer $request,
        Approvals $approvals,
        string $run,
        string $permission,
    ): Response {
        [$owner, $actor] = [Owner::of($request), Actor::of($request)];

        return $approvals->answer($owner, $run, $permission, $request->decision(), $actor)->response();
    }
}
