<?php

declare(strict_types=1);

return [

    // Why a run failed, by the `code` of its error event. `:message` is what the worker says, in English: it is safe to
    // show, and names what `code` does not. `other` is for codes that are not here.
    'errors' => [
        'invalid_request' => ':message',
        'forbidden' => ':message',
        'unsupported_version' => ':message',
        'policy_denied' => ':message',
        'auth' => ':message',
        'billing' => ':message',
        'rate_limited' => ':message',
        'overloaded' => ':message',
        'server_error' => ':message',
        'network' => ':message',
        'gateway' => ':message',
        'model_not_found' => ':message',
        'context_overflow' => ':message',
        'session_not_found' => ':message',
        'session_exists' => ':message',
        'session_busy' => ':message',
        'output_schema' => ':message',
        'output_too_large' => ':message',
        'cli_missing' => ':message',
        'cli_crashed' => ':message',
        'state_unavailable' => ':message',
        'sandbox_unavailable' => ':message',
        'mcp_unavailable' => ':message',
        'timeout' => ':message',
        'idle_timeout' => ':message',
        'worker_lost' => ':message',
        'internal' => ':message',
        'other' => ':message',
    ],

    // Why a run was stopped before it had an answer.
    'aborted' => [
        'client' => 'The run was stopped.',
        'signal' => 'The run was stopped by the server.',
        'parent_gone' => 'The run was stopped by the server.',
        'other' => 'The run was stopped.',
    ],

    // What a route refuses.
    'refused' => [
        'busy' => 'The server is busy. Try again in a moment.',
        'no_run' => 'There is no such run.',
        'no_format' => 'There is no such format. Known are native, laravel, ai-sdk and ag-ui.',
        'run_over' => 'This run has ended.',
        'no_question' => 'There is no such question.',
        'question_over' => 'This question is not open any more.',
        'not_asked' => '":question" was not asked.',
        'answer' => 'Answer ":question" with a text of 1 to 10,000 characters.',
        'answers' => 'Answer ":question" with a text of 1 to 10,000 characters, or with a list of them.',
        'nothing_said' => 'There is nothing to say to the agent. Pass a text.',
        'too_much_said' => 'Too much was said to the agent of this run. Start another run.',
        'not_reached' => 'The agent could not be reached. Try again in a moment.',
        'redirected' => 'The server redirects this request. Open the other page first.',
    ],

    // What is wrong with a field that a browser sent.
    'validation' => [
        'required' => 'The :attribute is missing.',
        'string' => 'The :attribute must be text.',
        'array' => 'The :attribute must be an object.',
        'uuid' => 'The :attribute must be a UUID.',
        'max' => 'The :attribute is longer than :max characters.',
        'in' => 'The :attribute must be one of :values.',
        'unknown' => 'This field is not accepted.',
    ],

    // What is wrong with a file that a browser sent along. `:max` of `too_large` is in kB.
    'attachments' => [
        'list' => 'The attachments must be a list.',
        'form' => 'Each attachment needs a name of 1 to 255 characters and its data, and nothing else.',
        'too_many' => 'A message can have at most :max attachments.',
        'too_large' => '":name" is larger than :max kB.',
        'empty' => '":name" is empty.',
        'encoding' => '":name" is not in padded base64.',
        'type' => '":name" is neither an image (PNG, JPEG, GIF, WebP) nor a PDF.',
    ],

    // What the fields are called.
    'attributes' => [
        'prompt' => 'prompt',
        'conversation' => 'conversation',
        'text' => 'text',
        'answers' => 'answers',
        'behavior' => 'answer',
        'message' => 'message',
    ],
];
