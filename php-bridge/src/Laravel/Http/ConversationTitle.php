<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

/** The title that a person gives a conversation. Other fields are refused. */
final class ConversationTitle extends StrictRequest
{
    /** @return array<string, list<string>> */
    public function rules(): array
    {
        return ['title' => [$this->isMethod('POST') ? 'nullable' : 'required', 'string', 'max:255']];
    }

    public function title(): ?string
    {
        return $this->validated()['title'] ?? null;
    }

    /** @return list<string> */
    protected function allowed(): array
    {
        return ['title', '_token', '_method'];
    }
}
