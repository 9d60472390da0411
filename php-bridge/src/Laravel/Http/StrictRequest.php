<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Laravel\Words;
use Illuminate\Contracts\Validation\Validator;
use Illuminate\Foundation\Http\FormRequest;
use Illuminate\Http\Exceptions\HttpResponseException;
use Illuminate\Http\JsonResponse;

/**
 * A browser's request in which any field without a rule is refused.
 *
 * @internal
 */
abstract class StrictRequest extends FormRequest
{
    /** Those of this package; a class of the application may have others. */
    private const NAMED = ['prompt', 'conversation', 'text', 'answers', 'behavior', 'title', 'message'];

    public function authorize(): bool
    {
        return true;
    }

    /** @return array<string, list<string>> */
    abstract public function rules(): array;

    /** @return array<string, string> */
    public function messages(): array
    {
        return self::worded('validation', ['required', 'string', 'array', 'uuid', 'max', 'in']);
    }

    /** @return array<string, string> */
    public function attributes(): array
    {
        return self::worded('attributes', array_intersect(array_keys($this->rules()), self::NAMED));
    }

    public function withValidator(Validator $validator): void
    {
        $validator->after(function (Validator $validator): void {
            foreach (array_diff(array_keys($this->all()), $this->allowed()) as $field) {
                $validator->errors()->add((string) $field, Words::of('validation.unknown'));
            }
        });
    }

    /** @return list<string> */
    abstract protected function allowed(): array;

    /**
     * @param array<array-key, string> $names
     *
     * @return array<string, string>
     */
    private static function worded(string $group, array $names): array
    {
        return array_combine($names, array_map(static fn (string $name): string => Words::of("$group.$name"), $names));
    }

    protected function failedValidation(Validator $validator): void
    {
        $errors = $validator->errors();
        // Laravel would redirect a client that accepts an event stream.
        throw new HttpResponseException(new JsonResponse([
            'message' => $errors->first(),
            'errors' => $errors->toArray(),
        ], 422, [], JSON_INVALID_UTF8_SUBSTITUTE)); // a field's name may be any bytes
    }
}
