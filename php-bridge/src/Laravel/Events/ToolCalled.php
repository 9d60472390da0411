<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Events;

/** The model calls a tool, its own or one of the application. It may still be denied. */
final class ToolCalled extends RunEvent
{
    /**
     * @param array{type: string, id: string}|null $subject
     * @param array<string, mixed> $metadata
     * @param string $toolUseId tells calls of a run apart
     * @param string $tool its name: of the application's as Agent::tool() has it, of others as the agent knows it
     * @param array<string, mixed> $input written by the model
     */
    public function __construct(
        string $run,
        string $worker,
        ?string $user = null,
        ?array $subject = null,
        ?string $goal = null,
        array $metadata = [],
        public readonly string $toolUseId = '',
        public readonly string $tool = '',
        public readonly array $input = [],
    ) {
        parent::__construct($run, $worker, $user, $subject, $goal, $metadata);
    }
}
