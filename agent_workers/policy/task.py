"""What a task may ask for, its directories, tools, rules and servers; and of these what a tool's run may."""

from collections.abc import Iterator

from agent_workers.policy.directories import is_within, leads_out, means_itself, real_directory
from agent_workers.policy.ruling import Ruling, matches, one_of, quoted
from agent_workers.policy.servers import Command, reaches_only
from agent_workers.policy.tables import TaskTable
from agent_workers.protocol.v1.task_request import HttpServer, StdioServer, TaskRequest, tools_of
from agent_workers.protocol.v1.tool_request import ToolRequest
from agent_workers.protocol.v1.tools import BUILT_IN_TOOLS

_OUTSIDE = "must be inside a directory that the host's policy lists in task.cwd_roots"
_ASK = "is not allowed: the operator must list it in {key} of the policy that AGENT_WORKERS_POLICY names"

# A proxy in front of an allowed host may take these as leading to another one.
_OF_THE_TRANSPORT = frozenset({"host", "content-length", "transfer-encoding"})
_NOT_ITS_OWN = "must not be set: the host and the length follow from the request"


def rule_on_task(table: TaskTable, request: TaskRequest, ruling: Ruling) -> None:
    """Objects to what exceeds the table, and resolves the links in the request's directories."""
    _rule_on_directories(table, request, ruling)
    for place, name in _tools(request):
        if table.tools is not None and not matches(name, table.tools):
            ruling.object_to(*place, words=one_of(table.tools, "task.tools"), reason=f"{name} is not in task.tools")
    if request.permissions.mode not in table.modes:
        ruling.object_to("permissions", "mode", words=one_of(table.modes, "task.modes"))
    _rule_on_rules(request, ruling)
    for name, server in request.mcp_servers.items():
        _rule_on_server(table, ("mcp_servers", name), server, ruling)


def rule_on_call(table: TaskTable, request: ToolRequest, ruling: Ruling) -> None:
    """Objects to a tool's run, without a model, of a tool or a server that a task might not have either."""
    name = request.tool_name
    if table.tools is not None and not matches(name, table.tools):
        ruling.object_to("tool", words=one_of(table.tools, "task.tools"), reason=f"{name} is not in task.tools")
    _rule_on_server(table, ("server",), request.server, ruling)


def _rule_on_directories(table: TaskTable, request: TaskRequest, ruling: Ruling) -> None:
    roots = table.cwd_roots
    cwd = _granted(("cwd",), request.cwd, roots, ruling)
    within = [cwd or request.cwd] if roots is None else roots
    words = "must be inside cwd, unless the host's policy lists it in task.cwd_roots" if roots is None else _OUTSIDE
    added = [_granted(("add_dirs", n), path, within, ruling, words) for n, path in enumerate(request.add_dirs)]
    ruling.changes |= {"cwd": cwd, "add_dirs": added}


def _granted(
    place: tuple[str | int, ...], path: str, roots: list[str] | None, ruling: Ruling, words: str = _OUTSIDE
) -> str | None:
    """Returns the directory with its links resolved; None where it adds an objection."""
    real = real_directory(path)
    if real is None and roots is None:
        return path  # the worker itself says that there is no such directory
    # One message for both, or a caller could probe for directories.
    if real is None or (roots is not None and not is_within(real, roots)):
        reason = f"{real!a} is not in {quoted(roots or ())}" if real else f"{path!a} is no directory here"
        ruling.object_to(*place, words=words, reason=reason)
        return None
    if not means_itself(real):
        odd = (
            "must not have * ? [ ] \\ or control characters in its path, nor a space at the end of a name: permission "
            "rules would misread them"
        )
        ruling.object_to(*place, words=odd, reason=f"rules would misread {real!a}")
        return None
    return real


def _tools(request: TaskRequest) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for number, name in enumerate(request.tools):
        yield ("tools", number), name
    for agent_name, agent in request.agents.items():
        for number, name in enumerate(agent.tools or ()):
            yield ("agents", agent_name, "tools", number), name


def _rule_on_rules(request: TaskRequest, ruling: Ruling) -> None:
    for number, rule in enumerate(request.permissions.allow):
        place = ("permissions", "allow", number)
        name, opened, specifier = rule.partition("(")
        if not tools_of(rule, request.tools):
            ruling.object_to(*place, words=f"allows {name}, which is not in tools")
        elif opened and _may_name_files(name) and leads_out(specifier.removesuffix(")")):
            words = (
                "must be a path relative to cwd, without .. or \\: rules on files stay inside the working directories"
            )
            ruling.object_to(*place, words=words, reason=f"{rule!a} could lead out of the working directories")


def _may_name_files(name: str) -> bool:
    tool = BUILT_IN_TOOLS.get(name)
    return tool is None or tool.path_rule is not None


def _rule_on_server(table: TaskTable, place: tuple[str, ...], server: StdioServer | HttpServer, ruling: Ruling) -> None:
    if isinstance(server, HttpServer):
        _rule_on_address(table, (*place, "url"), server, ruling)
        for name in server.headers:
            if name.lower() in _OF_THE_TRANSPORT:
                ruling.object_to(*place, "headers", name, words=_NOT_ITS_OWN)
    else:
        _rule_on_program(table, place, server, ruling)


def _rule_on_address(table: TaskTable, place: tuple[str, ...], server: HttpServer, ruling: Ruling) -> None:
    if table.mcp_hosts is None:
        ruling.object_to(*place, words=_ASK.format(key="task.mcp_hosts"))
    elif not reaches_only(table.mcp_hosts, server.url):
        words = "must be at one of the hosts that the policy lists in task.mcp_hosts"
        ruling.object_to(*place, words=words, reason=f"the host is not one of {quoted(table.mcp_hosts)}")


def _rule_on_program(table: TaskTable, place: tuple[str, ...], server: StdioServer, ruling: Ruling) -> None:
    known = [entry for entry in table.mcp_commands or () if entry.command == server.command]
    fitting = [entry for entry in known if entry.takes(server.args)]
    if fitting:
        _rule_on_variables(place, fitting, server, ruling)
    elif known:
        words = "must be the arguments that the host's policy lists for this program in task.mcp_commands"
        wanted = " or ".join(quoted(entry.args) for entry in known)
        ruling.object_to(*place, "args", words=words, reason=f"must be {wanted} for {server.command!a}")
    elif table.mcp_commands is None:
        ruling.object_to(*place, "command", words=_ASK.format(key="task.mcp_commands"))
    else:
        words = "must be a program that the host's policy lists in task.mcp_commands"
        ruling.object_to(*place, "command", words=words, reason=f"{server.command!a} is not in task.mcp_commands")


def _rule_on_variables(place: tuple[str, ...], entries: list[Command], server: StdioServer, ruling: Ruling) -> None:
    for variable in min((entry.foreign(server.env) for entry in entries), key=len):
        words = "must not be set: the host's policy does not list it in env of this program in task.mcp_commands"
        ruling.object_to(*place, "env", variable, words=words)
