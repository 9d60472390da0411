"""Which pool a command line asks for, and whether a pool can serve it."""

from __future__ import annotations

TYPE_CHECKING = False  # the module typing takes longer to import than all of this
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PATH = "AGENT_WORKERS_POOL"
NAME = "AGENT_WORKERS_POOL_NAME"
_POOL = ("--pool", "--pool-name")
_CREDENTIAL = ("--credential-fd",)
_OUTPUTS = (1, 2)
_DIGITS = 10  # of a descriptor's number that can be none
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
        descriptor: What holds the run's own key for the API; None where it brings none.
        skill: The skill that it names; empty where it names none.
    """

    def __init__(self, program: str, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
        options, self.rest = _split(arguments, _POOL)
        self._program = program
        self.is_explicit = "--pool" in options
        self.pool = options.get("--pool", environ.get(PATH, ""))
        self.name = options.get("--pool-name", environ.get(NAME, ""))
        own, words = _split(self.rest, _CREDENTIAL if program != "agent-tool" else ())
        number = own.get("--credential-fd", "")
        self.descriptor = int(number) if number.isdecimal() and len(number) < _DIGITS else None
        takes_name = program == "agent-skill" and words and not words[0].startswith("-")
        self.skill = words.pop(0) if takes_name else ""
        self.control = "--control" in words
        self.pretty = "--pretty" in words
        self.result = "--result" in words
        odd = [word.partition("=")[0] for word in words if word not in _SERVED]
        odd += ["--result"] if self.result and (self.pretty or program != "agent-skill") else []
        odd += own if number and self.descriptor in (None, *_OUTPUTS) else []
        named = next((word for word in odd if word in _OWN_PROCESS), "")
        self.is_served = not odd
        self.fault = f"{named} needs a process of its own" if named else ""

    def head(self, size: int, credential: str) -> bytes:
        """Returns the line that tells a pool what is wanted.

        Args:
            size: Bytes of the request.
            credential: The run's own key; empty where it brings none.
        """
        flags = {"control": self.control, "result": self.result}
        texts = {"name": self.name, "skill": self.skill, "credential": credential}
        fields = [f'"pool":1,"worker":{_quoted(self._program)},"size":{size}']
        fields += [f'"{flag}":true' for flag, is_set in flags.items() if is_set]
        fields += [f'"{field}":{_quoted(text)}' for field, text in texts.items() if text]
        return f"{{{','.join(fields)}}}\n".encode()


def _quoted(text: str) -> str:
    if text.isascii() and text.isprintable() and not {'"', "\\"} & {*text}:
        return f'"{text}"'
    from json import dumps  # takes long to import

    return dumps(text)


def _split(arguments: Sequence[str], names: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Returns the options with these names, each with its value, and all other arguments."""
    options: dict[str, str] = {}
    rest = []
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        following = value if equals or name not in names else next(words, None)
        if name in names and following is not None:
            options[name] = following
        else:
            rest.append(word)
    return options, rest
