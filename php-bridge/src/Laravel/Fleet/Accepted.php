<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Fleet;

use AgentWorkers\Laravel\Http\RunLinks;
use Illuminate\Contracts\Support\Responsable;
use Illuminate\Http\JsonResponse;

/** A run that the fleet has. Returned from a controller, it answers 202, and says where to look at the run. */
final class Accepted implements Responsable
{
    /**
     * @internal
     *
     * @param string $state scheduled, queued, admitted or running; done, error or aborted where it has ended
     */
    public function __construct(
        public readonly string $run,
        public readonly string $state,
        private readonly RunLinks $links,
    ) {
    }

    /** Where its status is; null where no routes were added. */
    public function status(): ?string
    {
        return $this->links->status($this->run);
    }

    /** Where its events are; null where no routes were added. */
    public function events(): ?string
    {
        return $this->links->events($this->run);
    }

    /** @param \Illuminate\Http\Request $request */
    public function toResponse($request): JsonResponse
    {
        $body = ['run' => $this->run, 'state' => $this->state] + $this->links->of($this->run);
        $headers = ['X-Agent-Run' => $this->run] + array_filter(['Location' => $this->status()]);

        return new JsonResponse($body, 202, $headers);
    }
}
