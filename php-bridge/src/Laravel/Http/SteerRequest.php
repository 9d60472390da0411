<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

/** What a browser may say to an agent while it works: a text. Other fields are refused. */
final class SteerRequest extends StrictRequest
{
    /** @return array<string, list<string>> */
    public function rules(): array
    {
        $longest = (int) config('agent-workers.stream.max_prompt', 100_000);

        return ['text' => ['required', 'string', "max:$longest"]];
    }

    public function text(): string
    {
        return (string) $this->validated()['text'];
    }

    /** @return list<string> */
    protected function allowed(): array
    {
        return ['text', '_token'];
    }
}
