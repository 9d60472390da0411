<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use Illuminate\Contracts\Validation\Validator;
use Illuminate\Foundation\Http\FormRequest;
use Illuminate\Http\Exceptions\HttpResponseException;
use Illuminate\Http\JsonResponse;

/** What a browser may say: a prompt and the id of its conversation. Anything else is refused. */
class ChatRequest extends FormRequest
{
    private const ALLOWED = ['prompt', 'conversation', '_token'];

    public function authorize(): bool
    {
        return true;
    }

    /** @return array<string, list<string>> */
    public function rules(): array
    {
        $longest = (int) config('agent-workers.stream.max_prompt', 100_000);

        return ['prompt' => ['required', 'string', "max:$longest"], 'conversation' => ['nullable', 'string', 'uuid']];
    }

    public function withValidator(Validator $validator): void
    {
        $validator->after(function (Validator $validator): void {
            foreach (array_diff(array_keys($this->all()), self::ALLOWED) as $field) {
                $validator->errors()->add((string) $field, 'This field is not accepted.');
            }
        });
    }

    public function prompt(): string
    {
        return (string) $this->validated()['prompt'];
    }

    public function conversation(): ?string
    {
        return $this->validated()['conversation'] ?? null;
    }

    protected function failedValidation(Validator $validator): void
    {
        $errors = $validator->errors();
        // Laravel would redirect a client that accepts an event stream.
        throw new HttpResponseException(new JsonResponse([
            'message' => $errors->first(),
            'errors' => $errors->toArray(),
        ], 422));
    }
}
