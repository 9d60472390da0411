<?php

declare(strict_types=1);

namespace AgentWorkers\Command;

/** A tool that a person wants to run: `/find_partner city=Graz`, `/mcp crm.search {"q": "Murtal"}`. */
final class Command
{
    /**
     * @param string $tool its name; empty where `/mcp` names none
     * @param string $arguments as they were typed
     * @param string|null $server the MCP server that has the tool; null for a tool of the application
     */
    public function __construct(
        public readonly string $tool,
        public readonly string $arguments,
        public readonly ?string $server = null,
    ) {
    }

    /** As a person calls it: `find_partner` or `crm.search`. */
    public function name(): string
    {
        return $this->server === null ? $this->tool : "$this->server.$this->tool";
    }

    /** As events and the model call it. */
    public function toolName(): string
    {
        return 'mcp__' . ($this->server ?? 'app') . "__$this->tool";
    }
}
