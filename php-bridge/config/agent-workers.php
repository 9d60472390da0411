<?php

declare(strict_types=1);

return [

    /*
    |--------------------------------------------------------------------------
    | Programs
    |--------------------------------------------------------------------------
    |
    | Absolute paths: under php-fpm there is no PATH. `php artisan agent:doctor`
    | tells whether they work, also for the user that the web server runs as.
    |
    */

    'binaries' => [
        'agent-chat' => env('AGENT_CHAT_BINARY', '/opt/agent-workers/bin/agent-chat'),
        'agent-task' => env('AGENT_TASK_BINARY', '/opt/agent-workers/bin/agent-task'),
        'agent-workers' => env('AGENT_WORKERS_BINARY', '/opt/agent-workers/bin/agent-workers'),
    ],

    // Who serves the web requests; agent:doctor looks through this user's eyes when root runs it.
    'web_user' => env('AGENT_WEB_USER', 'www-data'),

    /*
    |--------------------------------------------------------------------------
    | Environment of the workers
    |--------------------------------------------------------------------------
    |
    | A worker sees an allow-list, never the whole environment: under php-fpm
    | that holds the visitor's cookies and headers, under Laravel the password
    | of the database. `inherit` adds names to the list (`*` stands for any
    | characters), `env` sets variables; null leaves one out.
    |
    */

    'inherit' => [],

    'env' => [
        'ANTHROPIC_API_KEY' => env('ANTHROPIC_API_KEY'),
        'ANTHROPIC_BASE_URL' => env('ANTHROPIC_BASE_URL'),
    ],

    // Conversations are kept here. The web user and the queue's user must be able to write to it.
    'state_dir' => env('AGENT_WORKERS_STATE_DIR', storage_path('agent-workers')),

    // A name of a scenario, or true, lets a script answer instead of a model, without an account.
    'simulate' => env('AGENT_WORKERS_SIMULATE', false),

    // Seconds between asking a worker to stop and killing it. It takes up to five to stop its agent.
    'grace' => 8.0,

    // A channel of config/logging.php for how runs end and what workers write to stderr; null is the default channel.
    'log_channel' => null,

    /*
    |--------------------------------------------------------------------------
    | Workers
    |--------------------------------------------------------------------------
    |
    | What Agent::worker('name', $prompt) runs; Agent::chat($prompt) is the one
    | called "chat", Agent::task($prompt, $cwd) the one called "task". The
    | browser has no say in any of this: it sends a prompt and the id of its
    | conversation. `app_tools` names what Agent::tool() has registered.
    | `request` takes any other field of the request, by its name in the
    | contract; null leaves a field to the worker.
    |
    */

    'workers' => [
        'chat' => [
            'binary' => 'agent-chat',
            'model' => env('AGENT_MODEL'),
            'system_prompt' => null,
            'max_turns' => null,
            'limits' => [
                'timeout_s' => 300,
                'idle_timeout_s' => 120,
                'max_budget_usd' => null,
            ],
            'app_tools' => [],
            'request' => [],
        ],

        'task' => [
            'binary' => 'agent-task',
            'model' => env('AGENT_MODEL'),
            'system_prompt' => null,
            'max_turns' => null,
            'limits' => [
                'timeout_s' => 900,
                'idle_timeout_s' => 120,
                'max_budget_usd' => null,
            ],
            'app_tools' => [],
            // What Agent::task() does not say, such as cwd, tools and permissions.
            'request' => [],
        ],
    ],

    /*
    |--------------------------------------------------------------------------
    | Streams to the browser
    |--------------------------------------------------------------------------
    */

    'stream' => [
        // "native", or "laravel" for the hooks of @laravel/stream-react and its siblings.
        'format' => 'native',

        // PHP learns that a browser has gone only by writing: after so many seconds of silence it does. How many writes
        // it takes is up to the web server: behind nginx one, behind Apache three, behind Caddy five.
        'heartbeat' => 0.4,

        // "abort" ends the run when its browser goes. "continue" lets it end by itself, for the browser to come back:
        // then closing the page, or a Stop button that only closes the connection, does not save its cost.
        'on_disconnect' => env('AGENT_ON_DISCONNECT', 'abort'),

        // How many streams this host may have open at once; beyond that, HTTP 503 with Retry-After. Fewer than the PHP
        // processes that serve them, or there is none left to say so. 0 counts nothing.
        'max_streams' => (int) env('AGENT_MAX_STREAMS', 0),

        // Characters.
        'max_prompt' => 100_000,
    ],

    /*
    |--------------------------------------------------------------------------
    | What is remembered of runs and conversations
    |--------------------------------------------------------------------------
    |
    | Events are kept in the cache, for their owner only (the signed-in user,
    | else the session), so that a lost connection can be resumed. The store
    | must be shared by all processes that serve the web: not "array".
    |
    */

    'cache' => [
        'store' => null,
        // Seconds after which a run cannot be resumed any more.
        'ttl' => 600,
        // Bytes per run. Of a longer one, the oldest events are forgotten first.
        'max_bytes' => 4 * 1024 * 1024,
        // Seconds for which an unused conversation is remembered to be its owner's.
        'conversation_ttl' => 30 * 24 * 3600,
    ],
];
