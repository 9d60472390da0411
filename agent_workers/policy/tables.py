"""The tables of the policy's file. Omitted keys keep their defaults; unknown keys are refused."""

from typing import ClassVar, get_args

from pydantic import Field

from agent_workers.policy.servers import CommandEntry, Domain, HostPattern
from agent_workers.protocol.v1.fields import AbsolutePath, Count, Dollars, Few, Opt, RunSeconds, Strict, Text
from agent_workers.protocol.v1.task_request import Mode

MODES: tuple[Mode, ...] = get_args(Mode)


class LimitsTable(Strict):
    """Maximums. A request that omits the field gets the maximum or the usual default, whichever is lower."""

    synonyms: ClassVar = {"timeout": "timeout_s", "turns": "max_turns", "max_budget": "max_budget_usd"}

    timeout_s: Opt[RunSeconds] = Field(default=None, description="Seconds that a run may take.")
    max_turns: Opt[Count] = Field(default=None, description="How often the model may be called.")
    max_budget_usd: Opt[Dollars] = Field(default=None, description="US dollars that a run may cost.")
    max_request_bytes: Opt[Count] = Field(
        default=None, description="Bytes that a request may have. 32 MiB when absent."
    )


class TaskTable(Strict):
    """What the task worker's requests may ask for."""

    synonyms: ClassVar = {"roots": "cwd_roots", "cwd": "cwd_roots", "mode": "modes", "permissions": "modes"}

    tools: Opt[Few[Text]] = Field(default=None, description="Names or patterns of tools. Any when absent.")
    cwd_roots: Opt[Few[AbsolutePath]] = Field(
        default=None,
        description="Directories that must contain `cwd` and `add_dirs`. When absent, `cwd` may be any directory, and "
        "`add_dirs` must be inside it.",
    )
    modes: Few[Mode] = Field(default_factory=lambda: list(MODES), description="What `permissions.mode` may be.")
    mcp_commands: Opt[Few[CommandEntry]] = Field(
        default=None, description="Programs that may be started as MCP servers. None when absent."
    )
    mcp_hosts: Opt[Few[HostPattern]] = Field(
        default=None,
        description="Hosts of MCP servers that may be reached: by https, or by http if the entry begins with http:// "
        "or is the loopback. None when absent.",
    )


class CredentialsTable(Strict):
    """Whose credentials are used."""

    synonyms: ClassVar = {"own_key": "own", "byok": "own"}

    own: bool = Field(
        default=True, description="May a caller bring the key for the API that its run uses (`--credential-fd`)?"
    )


class SkillsTable(Strict):
    """Which skills may run."""

    synonyms: ClassVar = {"skills": "names", "folder": "folders", "paths": "folders", "path": "folders"}

    names: Opt[Few[Text]] = Field(default=None, description="Names or patterns of skills. Any when absent.")
    folders: Opt[Few[AbsolutePath]] = Field(
        default=None, description="Directories that must contain the skill's folder. Any when absent."
    )


class SandboxTable(Strict):
    """Whether a task's commands run in a sandbox."""

    synonyms: ClassVar = {"domains": "allowed_domains", "hosts": "allowed_domains", "hide": "deny_read"}

    enabled: bool = Field(default=False, description="Without a working sandbox such a task is refused.")
    allowed_domains: Few[Domain] = Field(default_factory=list, description="What commands in it may reach.")
    deny_read: Few[AbsolutePath] = Field(
        default_factory=list,
        description="Files and directories that commands in it cannot read, besides the worker's own state and "
        "temporary files.",
    )
