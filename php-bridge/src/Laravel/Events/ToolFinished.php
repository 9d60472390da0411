<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Events;

/** A tool call has its result, or was denied. */
final class ToolFinished extends RunEvent
{
    /**
     * @param array{type: string, id: string}|null $subject
     * @param array<string, mixed> $metadata
     * @param string $toolUseId that of ToolCalled
     * @param string|null $tool its name, as in ToolCalled; null if no call was told
     * @param string $status ok, error or denied
     * @param string $content what the model gets, which may have been cut to fit its event
     * @param int|null $durationMs between call and result, the wait for a permission included
     * @param bool $replayed whether once() answered from its record, and nothing ran
     */
    public function __construct(
        string $run,
        string $worker,
        ?string $user = null,
        ?array $subject = null,
        ?string $goal = null,
        array $metadata = [],
        public readonly string $toolUseId = '',
        public readonly ?string $tool = null,
        public readonly string $status = 'ok',
        public readonly string $content = '',
        public readonly ?int $durationMs = null,
        public readonly bool $replayed = false,
    ) {
        parent::__construct($run, $worker, $user, $subject, $goal, $metadata);
    }
}
