<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

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
    public function authorize(): bool
    {
        return true;
    }

    /** @return array<string, list<string>> */
    abstract public function rules(): array;

    public function withValidator(Validator $validator): void
    {
        $validator->after(function (Validator $validator): void {
            foreach (array_diff(array_keys($this->all()), $this->allowed()) as $field) {
                $validator->errors()->add((string) $field, 'This field is not accepted.');
            }
        });
    }

    /** @return list<string> */
    abstract protected function allowed(): array;

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
