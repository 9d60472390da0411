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
    /** The application's signature of the decision, as it was sent. */
    public readonly ?string $signature;

    protected function read(Fields $fields): void
    {
        $this->questionId = $fields->string('question_id');
        $this->by = $fields->string('by');
        $this->actor = $fields->stringOrNull('actor');
        $this->signature = $fields->stringOrNull('signature');
    }
}
