<?php

declare(strict_types=1);

// What is not here is as in the package's own config/agent-workers.php.
return [
    // The example's MCP server: `/mcp crm.search q=Murtal`. The host's policy must list this command in task.mcp_commands.
    // Its Python must have the package mcp, as that of the workers has.
    'mcp_servers' => [
        'crm' => [
            'command' => env('AGENT_MCP_PYTHON', '/opt/agent-workers/bin/python'),
            'args' => [(string) realpath(base_path('../mcp/partners.py'))],
        ],
    ],
];
