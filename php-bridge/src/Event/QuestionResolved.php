<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** A `question` is settled. `by` is client, timeout or abort. */
final class QuestionResolved extends Event
{
    public readonly string $questionId;
    public readonly string $by;
    /** Who answered, as the application said. */
    public readonly ?string $actor;

    protected function read(Fields $fields): void
    {
        $this->questionId = $fields->string('question_id');
        $this->by = $fields->string('by');
        $this->actor = $fields->stringOrNull('actor');
    }
}
