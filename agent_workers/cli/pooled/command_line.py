"""Which pool a command line asks for, and whether a pool can serve it."""

from __future__ import annotations

TYPE_CHECKING = False  # the module typing takes longer to import than all of this
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PATH = "AGENT_WORKERS_POOL"
NAME = "AGENT_WORKERS_POOL_NAME"
_VALUED = ("--pool", "--pool-name")
_SERVED = {"--control", "--pretty", "--result"}
_OWN_PROCESS = ("--interactive", "--simulate", "--doctor", "--policy")
"""What is said or set in the worker's own process, and so has no pool."""


class CommandLine:
    """What a command line says of a pool.

    Args:
        program: Name of the worker.
        arguments: Of the command line.
        environ: The process's variables.

    Attributes:
        pool: Path of the socket.
        is_explicit: Whether the command line itself names it.
        name: Name of the pool in its configuration; empty where any will do.
        rest: The arguments without those about the pool: what a worker started here is to have.
        fault: Why no pool can serve it; empty where one can.
        skill: The skill that it names; empty where it names none.
    """

    def __init__(self, program: str, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
        options, self.rest = _split(arguments)
        self.is_explicit = "--pool" in options
        self.pool = options.get("--pool", environ.get(PATH, ""))
        self.name = options.get("--pool-name", environ.get(NAME, ""))
        words = self.rest[:]
        takes_name = program == "agent-skill" and words and not words[0].startswith("-")
        self.skill = words.pop(0) if takes_name else ""
        self.control = "--control" in words
        self.pretty = "--pretty" in words
        self.result = "--result" in words
        odd = [word.partition("=")[0] for word in words if word not in _SERVED]
        odd += ["--result"] if self.result and (self.pretty or program != "agent-skill") else []
        named = next((word for word in odd if word in _OWN_PROCESS), "")
        self.is_served = not odd
        self.fault = f"{named} needs a process of its own" if named else ""


def _split(arguments: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Returns the options about the pool, and all other arguments."""
    options: dict[str, str] = {}
    rest = []
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        following = value if equals or name not in _VALUED else next(words, None)
        if name in _VALUED and following is not None:
            options[name] = following
        else:
            rest.append(word)
    return options, rest
