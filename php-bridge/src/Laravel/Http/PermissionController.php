<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use Illuminate\Http\JsonResponse;
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
        $approval = $approvals->answer(Owner::of($request), $run, $permission, $request->decision());
        $message = match ($approval) {
            Approval::Taken => '',
            Approval::Unknown => 'There is no such question.',
            Approval::Over => 'This question is not open any more.',
        };

        return $message === ''
            ? new Response('', $approval->value)
            : new JsonResponse(['message' => $message], $approval->value);
    }
}
