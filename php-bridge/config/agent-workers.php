<?php

declare(strict_types=1);

return [

    /*
    |--------------------------------------------------------------------------
    | Programs
    |--------------------------------------------------------------------------
    |
    | Absolute paths, because php-fpm has no PATH. `php artisan agent:doctor`
    | checks that they work, also for the web server's user.
    |
    */

    'binaries' => [
        'agent-chat' => env('AGENT_CHAT_BINARY', '/opt/agent-workers/bin/agent-chat'),
        'agent-task' => env('AGENT_TASK_BINARY', '/opt/agent-workers/bin/agent-task'),
        'agent-tool' => env('AGENT_TOOL_BINARY', '/opt/agent-workers/bin/agent-tool'),
        'agent-skill' => env('AGENT_SKILL_BINARY', '/opt/agent-workers/bin/agent-skill'),
        'agent-batch' => env('AGENT_BATCH_BINARY', '/opt/agent-workers/bin/agent-batch'),
        'agent-workers' => env('AGENT_WORKERS_BINARY', '/opt/agent-workers/bin/agent-workers'),
    ],

    // The user that serves web requests. If root runs agent:doctor, it checks as this user, too.
    'web_user' => env('AGENT_WEB_USER', 'www-data'),

    /*
    |--------------------------------------------------------------------------
    | Environment of the workers
    |--------------------------------------------------------------------------
    |
    | A worker gets only some variables, never the whole environment: under
    | php-fpm that holds the visitor's cookies and headers, under Laravel the
    | database password. `inherit` names further variables to pass on (`*`
    | stands for any characters). `env` sets variables; null leaves one out.
    |
    */

    'inherit' => [],

    'env' => [
        'ANTHROPIC_API_KEY' => env('ANTHROPIC_API_KEY'),
        'ANTHROPIC_BASE_URL' => env('ANTHROPIC_BASE_URL'),
    ],

    // Conversations are stored here. The web server's user and the queue's user must be able to write to it.
    'state_dir' => env('AGENT_WORKERS_STATE_DIR', storage_path('agent-workers')),

    // Folders that hold skills, separated by colons; of two skills of one name, the first. Those that come with the
    // workers are found after them.
    'skills_path' => env('AGENT_WORKERS_SKILLS_PATH', base_path('.agents/skills')),

    // true, or the name of a scenario: a simulator answers instead of a model, and no account is needed.
    'simulate' => env('AGENT_WORKERS_SIMULATE', false),

    // Signs what people decide: `permission_resolved` and `question_resolved` then bear a signature that whoever has the key
    // can check with `agent-workers verify --key`. At least 32 bytes: echo "base64:$(openssl rand -base64 32)". A key of its
    // own, which no worker gets; null signs nothing.
    'signing_key' => env('AGENT_WORKERS_SIGNING_KEY'),

    // Seconds between SIGTERM and SIGKILL when a worker is stopped. It needs up to five to stop its agent.
    'grace' => 8.0,

    // The channel of config/logging.php that gets the ends of runs and the workers' stderr; null is the default channel.
    'log_channel' => null,

    /*
    |--------------------------------------------------------------------------
    | A pool of agents started ahead
    |--------------------------------------------------------------------------
    |
    | The path of the socket of `agent-workers pool`: runs have their first word
    | in a fraction of the time. Where no pool is there, a worker is started for
    | the run, as without one. What the pool runs has the pool's environment and
    | policy: `env`, `inherit` and a policy named in them are for workers that
    | are started here. Give both the same state_dir.
    |
    | A worker is always started for each run where the pool knows nothing of
    | what it is started with: an absolute `binary`, or one in `binaries` that
    | is not as the package has it, such as a script with arguments or a policy
    | of its own; directory, environment or arguments of Agent::configureRunner();
    | `simulate`; or `'pool' => false` in the worker. agent:doctor tells which.
    |
    | `pool_name` is the name of one of the pools behind the socket; null takes
    | the first that fits. A worker may have a `pool_name` of its own.
    |
    */

    'pool' => env('AGENT_WORKERS_POOL'),

    'pool_name' => env('AGENT_WORKERS_POOL_NAME'),

    /*
    |--------------------------------------------------------------------------
    | A fleet of machines
    |--------------------------------------------------------------------------
    |
    | `url` is the address of the Redis of `agent-workers fleet work`: runs that
    | ->onFleet() gives it go on when this process ends, and are followed and
    | stopped from any machine. redis://user:password@host:6379/0, rediss://…
    | or unix:///run/redis/redis.sock. Or `connection` is the name of one in
    | `redis` of config/database.php: the address is taken from there, never
    | its prefix or serializer. Without both there is no fleet.
    |
    | `'fleet' => true` in a worker gives it all runs of that worker.
    |
    */

    'fleet' => [
        'url' => env('AGENT_WORKERS_FLEET'),
        'connection' => null,
        // As `agent-workers fleet work --prefix` has it.
        'prefix' => env('AGENT_WORKERS_FLEET_PREFIX', 'agent-workers'),
        // What the application is called among those that share the fleet: its users own the runs that it submits, and its
        // tools answer them.
        'application' => env('AGENT_WORKERS_FLEET_APPLICATION', env('APP_NAME', 'laravel')),
        // The queue of jobs that name none.
        'queue' => env('AGENT_WORKERS_FLEET_QUEUE', 'default'),
        // With "abort" a run ends when the browser goes that began it. With "continue" it goes on, and the browser comes back.
        'on_disconnect' => 'continue',
        // Seconds for which Redis may be away before a request gives up.
        'patience' => 15,
        // Seconds for which a run is kept that was stopped before it began. `fleet work` keeps the others.
        'keep' => 24 * 3600,
    ],

    /*
    |--------------------------------------------------------------------------
    | The gateway
    |--------------------------------------------------------------------------
    |
    | `url` is where browsers reach `agent-workers gateway`, which starts and
    | streams runs for those that bring a token of Agent::token(). `audience` is
    | the one of its settings; null takes the url.
    |
    | `keys` sign the tokens, by the names that they have at the gateway. HS256
    | has a secret of at least 32 bytes, the same on both sides; RS256, ES256
    | and EdDSA have the private key as PEM here, in `key` or in `file`, and the
    | public one there. `key_id` is the one that signs; null takes the first.
    | To rotate, give the gateway the new key, sign with it here, and remove the
    | old one there two minutes later.
    |
    | `webhook_secrets` are those of the gateway's webhooks: several, while one
    | is replaced.
    |
    */

    'gateway' => [
        'url' => env('AGENT_GATEWAY_URL'),
        'audience' => env('AGENT_GATEWAY_AUDIENCE'),
        'issuer' => null,
        'key_id' => env('AGENT_GATEWAY_KEY_ID'),
        'keys' => [
            'laravel' => ['algorithm' => 'HS256', 'key' => env('AGENT_GATEWAY_KEY')],
        ],
        'webhook_secrets' => [env('AGENT_GATEWAY_WEBHOOK_SECRET')],
    ],

    /*
    |--------------------------------------------------------------------------
    | Workers
    |--------------------------------------------------------------------------
    |
    | Agent::worker('name', $prompt) runs the worker of that name; Agent::chat()
    | runs "chat", Agent::task() runs "task", Agent::skill() "skill". The
    | browser cannot change any of this: it sends only a prompt, its files and
    | the id of its conversation. `app_tools` lists tools that Agent::tool() has
    | registered. `request` takes any other field of the request, by its name
    | in the contract. null leaves a field to the worker. `binary` is a name of
    | `binaries`, or the absolute path of a worker of your own.
    |
    | `engine` is "agent", or "messages": the plain Messages API, which starts
    | in a fraction of the time and memory, for what needs no tools but the
    | application's. A conversation stays with the engine that began it.
    | `max_tokens` limits one answer of the model, with "messages" only: a run
    | that names the engine "agent" goes without it.
    |
    */

    'workers' => [
        'chat' => [
            'binary' => 'agent-chat',
            'engine' => null,
            'model' => env('AGENT_MODEL'),
            'max_tokens' => null,
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
            // Fields that the code does not set, such as cwd, tools and permissions.
            'request' => [],
        ],

        // Runs Agent::skill(). What is null is as the skill says it.
        'skill' => [
            'binary' => 'agent-skill',
            'engine' => null,
            'model' => null,
            'max_tokens' => null,
            'limits' => [
                'timeout_s' => null,
                'max_budget_usd' => null,
            ],
            'request' => [],
        ],

        // Runs the tools of `mcp_servers` that people call from a chat. No model is asked.
        'tool' => [
            'binary' => 'agent-tool',
        ],
    ],

    /*
    |--------------------------------------------------------------------------
    | MCP servers
    |--------------------------------------------------------------------------
    |
    | Servers by name, in the form of the contract, whose tools people may run
    | from a chat: `/mcp crm.search {"q": "Murtal"}`. Agent::allowCommand() says
    | which tools, and who may.
    |
    | 'crm' => ['command' => '/opt/crm/bin/mcp-server', 'args' => ['--read-only']],
    |
    */

    'mcp_servers' => [],

    /*
    |--------------------------------------------------------------------------
    | Streams to the browser
    |--------------------------------------------------------------------------
    */

    'stream' => [
        // "native", "laravel" for the hooks of @laravel/stream-react and its siblings, "ai-sdk" for useChat of Vercel's
        // AI SDK, or "ag-ui".
        'format' => 'native',

        // Seconds of silence after which a heartbeat is sent. PHP notices that a browser has gone only when it writes:
        // behind nginx at the first write, behind Apache at the third, behind Caddy at the fifth.
        'heartbeat' => 0.4,

        // "abort" ends the run when its browser goes. With "continue" the run goes on, and the browser can come back. Then
        // closing the page does not end the run, and a Stop button must use the abort route.
        'on_disconnect' => env('AGENT_ON_DISCONNECT', 'abort'),

        // How many streams this host may have open at once; the next one gets HTTP 503 with Retry-After. Set fewer than
        // there are PHP processes for streams: a process must be free to answer 503. 0 means no limit.
        'max_streams' => (int) env('AGENT_MAX_STREAMS', 0),

        // The longest prompt that a browser may send, in characters.
        'max_prompt' => 100_000,

        // Images and PDFs that a browser may send along: how many with one prompt, and how large each may be. `max` 0 means
        // none. PHP and the web server have limits of their own: see the README.
        'attachments' => ['max' => 5, 'max_kb' => 4096],
    ],

    /*
    |--------------------------------------------------------------------------
    | Effects that happen once
    |--------------------------------------------------------------------------
    |
    | Where Agent::tool(…)->once() keeps results: the database in which the
    | tools take effect; null is the default one. Publish the migration with
    | `php artisan vendor:publish --tag=agent-workers-migrations`. Rows that are
    | older than any run that may be tried again can be deleted.
    |
    */

    'effects' => [
        'connection' => null,
        'table' => 'agent_effects',
    ],

    /*
    |--------------------------------------------------------------------------
    | Records
    |--------------------------------------------------------------------------
    |
    | Switched on, each run is written to six tables of a database: who ran
    | what, what was said, and what it came to. `php artisan migrate` makes them
    | then; `vendor:publish --tag=agent-workers-records-migrations` copies their
    | migration. The workers' own writer, `agent-workers records`, fills the
    | same tables.
    |
    */

    'records' => [
        'enabled' => env('AGENT_WORKERS_RECORDS', false),
        // A connection of config/database.php; null is the default one.
        'connection' => env('AGENT_WORKERS_RECORDS_CONNECTION'),
        // Before the names of the tables.
        'prefix' => env('AGENT_WORKERS_RECORDS_PREFIX', ''),
        // "everything"; "no-tools" leaves out what tools were given and gave back; "metadata" leaves out all that was said.
        'keep' => env('AGENT_WORKERS_RECORDS_KEEP', 'everything'),
        // What is replaced before anything is written: "email", "phone", "iban", or regular expressions such as '/\bK-\d+\b/'.
        'redact' => [],
        // Types of the events that are kept as such, in agent_events.
        'events' => ['permission_resolved', 'question_resolved', 'retry', 'notice', 'done', 'error', 'aborted'],
        // Whether what was said is encrypted with the application's key. Titles are cut to 31 bytes then.
        'encrypt' => env('AGENT_WORKERS_RECORDS_ENCRYPT', false),
        // US dollars that may be spent in a day, of the application's time zone, for each user, each tenant and in total; null is
        // no limit. Agent::budget() may say so for each. A run that begins later fails with budget_exhausted.
        'budgets' => ['user' => null, 'tenant' => null, 'total' => null],
        // Keeps what could not be written while the database was away, up to so many bytes: see `agent:records flush`.
        'spool' => [
            'path' => storage_path('agent-workers/records.spool'),
            'max_bytes' => 16 * 1024 * 1024,
        ],
    ],

    /*
    |--------------------------------------------------------------------------
    | What is kept of runs and conversations
    |--------------------------------------------------------------------------
    |
    | Events are kept in the cache so that a lost connection can be resumed, by
    | their owner only: the signed-in user, or the session. All PHP processes
    | that serve the web must share the store: do not use "array".
    |
    */

    'cache' => [
        'store' => null,
        // Seconds after which a run can no longer be resumed.
        'ttl' => 600,
        // Bytes per run. Of a longer run the oldest events are dropped.
        'max_bytes' => 4 * 1024 * 1024,
        // Seconds for which an unused conversation keeps its owner.
        'conversation_ttl' => 30 * 24 * 3600,
    ],
];
