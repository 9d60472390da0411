<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

/** What a browser may answer to a question of the agent. Other fields are refused. */
final class QuestionAnswer extends StrictRequest
{
    /** @return array<string, list<string>> */
    public function rules(): array
    {
        return ['answers' => ['required', 'array']];
    }

    /** @return array<array-key, mixed> by the text of the question, which may hold what means something to validators */
    public function answers(): array
    {
        return (array) $this->input('answers');
    }

    /** @return list<string> */
    protected function allowed(): array
    {
        return ['answers', '_token'];
    }
}
