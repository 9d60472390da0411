<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Decision;

/** What a browser may answer to a question: allow or deny. Other fields, such as a changed input, are refused. */
final class PermissionAnswer extends StrictRequest
{
    /** @return array<string, list<string>> */
    public function rules(): array
    {
        return [
            'behavior' => ['required', 'string', 'in:' . Decision::ALLOW . ',' . Decision::DENY],
            'message' => ['nullable', 'string', 'max:2000'],
        ];
    }

    public function decision(): Decision
    {
        $answer = $this->validated();

        return $answer['behavior'] === Decision::ALLOW ? Decision::allow() : Decision::deny($answer['message'] ?? null);
    }

    /** @return list<string> */
    protected function allowed(): array
    {
        return ['behavior', 'message', '_token'];
    }
}
