<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use Illuminate\Contracts\Routing\UrlGenerator;

/**
 * Where a run is looked at from other requests.
 *
 * @internal
 */
final class RunLinks
{
    public function __construct(private readonly UrlGenerator $urls)
    {
    }

    public function status(string $run): ?string
    {
        return $this->to('\\' . StatusController::class, $run);
    }

    public function events(string $run): ?string
    {
        return $this->to('\\' . StreamController::class . '@events', $run);
    }

    /** @return array<string, string> those that there are */
    public function of(string $run): array
    {
        return array_filter(['status' => $this->status($run), 'events' => $this->events($run)]);
    }

    private function to(string $action, string $run): ?string
    {
        try {
            return $this->urls->action($action, ['run' => $run]);
        } catch (\InvalidArgumentException) {
            return null; // the application has no such route
        }
    }
}
