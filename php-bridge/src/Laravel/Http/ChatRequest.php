<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

/** What a browser may send: a prompt and the id of its conversation. Other fields are refused. */
class ChatRequest extends StrictRequest
{
    /** @return array<string, list<string>> */
    public function rules(): array
    {
        $longest = (int) config('agent-workers.stream.max_prompt', 100_000);

        return ['prompt' => ['required', 'string', "max:$longest"], 'conversation' => ['nullable', 'string', 'uuid']];
    }

    public function prompt(): string
    {
        return (string) $this->validated()['prompt'];
    }

    public function conversation(): ?string
    {
        return $this->validated()['conversation'] ?? null;
    }

    /** @return list<string> */
    protected function allowed(): array
    {
        return ['prompt', 'conversation', '_token'];
    }
}
