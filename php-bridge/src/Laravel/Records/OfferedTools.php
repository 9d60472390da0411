<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use AgentWorkers\AppTool;
use AgentWorkers\Laravel\Registry;
use Illuminate\Contracts\Config\Repository;
use Illuminate\Contracts\Container\Container;

/**
 * Tells whether a conversation's agent would have other tools of the application today than in its last run.
 *
 * @internal
 */
final class OfferedTools
{
    private const OWN = 'mcp__app__';

    public function __construct(
        private readonly Registry $registry,
        private readonly Repository $config,
        private readonly Container $app,
    ) {
    }

    /**
     * @param string $worker name in the configuration
     *
     * @return array{added: list<string>, removed: list<string>}|null null where nothing has changed or is known
     */
    public function changed(AgentConversation $conversation, string $worker): ?array
    {
        if ($conversation->tools === null) {
            return null;
        }
        $had = array_map(
            static fn (string $name): string => substr($name, strlen(self::OWN)),
            array_filter($conversation->tools, static fn (string $name): bool => str_starts_with($name, self::OWN)),
        );
        $usual = (array) $this->config->get("agent-workers.workers.$worker.app_tools", []);
        $now = array_map(fn (string $tool): string
            => is_subclass_of($tool, AppTool::class) ? $this->app->make($tool)->name() : $tool, $usual);
        // A route may offer more than the configuration does: only what is registered no more has gone for sure.
        $changes = [
            'added' => array_values(array_diff($now, $had)),
            'removed' => array_values(array_diff($had, $this->registry->names($this->app))),
        ];

        return $changes === ['added' => [], 'removed' => []] ? null : $changes;
    }
}
