<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** The agent asks the user: answer with Run::onQuestion() or Run::answer(). Without an answer it goes on without one. */
final class Question extends Event
{
    public readonly string $questionId;
    public readonly string $toolUseId;
    /** @var list<array{question: string, header?: string, options: list<array{label: string, description?: string}>, multi: bool}> */
    public readonly array $questions;
    public readonly string $expiresAt;

    protected function read(Fields $fields): void
    {
        $this->questionId = $fields->string('question_id');
        $this->toolUseId = $fields->string('tool_use_id');
        $this->questions = $fields->array('questions');
        $this->expiresAt = $fields->string('expires_at');
    }
}
