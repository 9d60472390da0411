<?php

declare(strict_types=1);

namespace AgentWorkers;

use AgentWorkers\Event\PermissionRequest;
use AgentWorkers\Event\Question;

/** What a person was shown who decides: the line of a `permission_request` or `question`, by its SHA-256. */
final class Shown
{
    private const ASK_USER = 'AskUserQuestion';

    private function __construct(
        public readonly string $run,
        public readonly string $id,
        public readonly string $tool,
        public readonly string $toolUseId,
        public readonly string $sha256,
    ) {
    }

    public static function of(PermissionRequest|Question $asked): self
    {
        $isQuestion = $asked instanceof Question;

        return new self(
            $asked->run,
            $isQuestion ? $asked->questionId : $asked->permissionId,
            $isQuestion ? self::ASK_USER : $asked->name,
            $asked->toolUseId,
            hash('sha256', $asked->toJson()),
        );
    }

    /**
     * @internal
     *
     * @param array{run: string, id: string, tool: string, toolUseId: string, sha256: string} $kept
     */
    public static function fromArray(array $kept): self
    {
        return new self(...$kept);
    }

    /**
     * @internal
     *
     * @return array{run: string, id: string, tool: string, toolUseId: string, sha256: string}
     */
    public function toArray(): array
    {
        return get_object_vars($this);
    }
}
