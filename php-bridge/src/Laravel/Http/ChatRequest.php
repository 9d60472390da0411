<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use Illuminate\Contracts\Validation\Validator;

/**
 * What a browser may send: a prompt, the id of its conversation, and the files that the configuration allows. Other
 * fields are refused.
 */
class ChatRequest extends StrictRequest
{
    private ?Attachments $attachments = null;

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

    /** @return string|list<array<string, mixed>> what the worker gets: text, or blocks with the files first */
    public function content(): string|array
    {
        $files = $this->attachments?->blocks() ?? [];

        return $files === [] ? $this->prompt() : [...$files, ['type' => 'text', 'text' => $this->prompt()]];
    }

    public function conversation(): ?string
    {
        return $this->validated()['conversation'] ?? null;
    }

    public function withValidator(Validator $validator): void
    {
        parent::withValidator($validator);
        $validator->after(function (Validator $validator): void {
            $sent = $this->input('attachments');
            $this->attachments = $sent === null || Attachments::most() < 1 ? null : new Attachments($sent);
            foreach ($this->attachments?->faults() ?? [] as $field => $fault) {
                $validator->errors()->add($field, $fault);
            }
        });
    }

    /** @return list<string> */
    protected function allowed(): array
    {
        return ['prompt', 'conversation', '_token', ...Attachments::most() < 1 ? [] : ['attachments']];
    }
}
