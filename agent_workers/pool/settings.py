"""The pool's settings: its TOML file, and the options of its command line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from agent_workers.protocol.toml_file import read_toml
from agent_workers.protocol.v1.fields import AbsolutePath, Count, Few, Label, ModelName, Opt, Strict

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

DEFAULT = "default"
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_BYTES = re.compile(r"([0-9]{1,15})([KMG]?)")


def _size(text: str) -> str:
    if not _BYTES.fullmatch(text):
        raise PydanticCustomError("contract", "must be a number of bytes, such as 512M or 4G")
    return text


def _misfit(found: str) -> PydanticCustomError:
    return PydanticCustomError("contract", "{found}", {"found": found})


Seconds = Annotated[float, Field(ge=0, le=604_800)]
Number = Annotated[int, Field(ge=0, le=10_000)]
Size = Annotated[str, AfterValidator(_size)]
PoolName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class PoolTable(Strict):
    """One pool: what its agents are started with, and how many there are."""

    synonyms: ClassVar = {"min": "min_idle", "idle": "min_idle", "max_children": "max", "keep": "keep_s"}

    worker: Literal["agent-chat", "agent-skill"] = Field(
        default="agent-chat", description="Whose agents are started ahead."
    )
    model: Opt[ModelName] = Field(
        default=None, description="Model of the agents. The CLI's default when absent, for requests that name none."
    )
    max_turns: Opt[Count] = Field(default=None, description="`max_turns` of the requests that the agents are for.")
    min_idle: Number = Field(default=2, description="How many agents wait for requests.")
    max: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=16, description="How many worker processes it has at most: waiting, busy and kept."
    )
    max_idle_s: Seconds = Field(default=600, description="Seconds after which an agent that waits is replaced.")
    max_live: Number = Field(
        default=8, description="How many agents stay at most for the next message of their conversation; 0 for none."
    )
    keep_s: Seconds = Field(default=120, description="Seconds that such an agent stays.")
    policy: Opt[AbsolutePath] = Field(
        default=None, description="A policy of its own, which holds besides the host's. None when absent."
    )
    allow_users: Opt[Few[Label]] = Field(
        default=None, description="Who may use it, of those who may connect. All of them when absent."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if "min_idle" in self.model_fields_set and self.min_idle > self.max:
            raise _misfit(f"needs a max of at least {self.min_idle}, its min_idle, and has {self.max}")
        return self


class PoolSettings(Strict):
    """The pool's server. Omitted keys keep their defaults."""

    synonyms: ClassVar = {"pools": "pool", "users": "allow_users", "memory": "max_memory"}

    socket: Opt[AbsolutePath] = Field(default=None, description="Path of the socket. `--socket` goes before it.")
    group: Opt[Label] = Field(default=None, description="Group that owns the socket, whose mode is 0660.")
    allow_users: Opt[Few[Label]] = Field(
        default=None, description="Who may connect, besides the pool's own user and root. Nobody else when absent."
    )
    policy: Opt[AbsolutePath] = Field(
        default=None, description="The host's policy, instead of the one that `AGENT_WORKERS_POLICY` names."
    )
    max: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=64, description="How many worker processes all pools have together at most."
    )
    max_memory: Opt[Size] = Field(
        default=None,
        description="Memory of all of them, such as `4G`, from which on no agent is started ahead or kept. "
        "Unbounded when absent.",
    )
    request_s: Seconds = Field(default=30, description="Seconds that a client has to send its request.")
    queue_s: Seconds = Field(default=10, description="Seconds that a request waits while all processes are busy.")
    stop_s: Seconds = Field(default=30, description="Seconds that runs may take to end when the pool is stopped.")
    pool: Annotated[dict[PoolName, PoolTable], Field(min_length=1)] = Field(
        default_factory=lambda: {DEFAULT: PoolTable()}, description="The pools, by their names."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        waiting = sum(table.min_idle for table in self.pool.values() if "min_idle" in table.model_fields_set)
        if waiting > self.max:
            raise _misfit(f"needs a max of at least {waiting}, the min_idle of its pools together, and has {self.max}")
        return self

    @property
    def memory_bound(self) -> int | None:
        """Bytes of ``max_memory``."""
        found = _BYTES.fullmatch(self.max_memory or "")
        return int(found[1]) * _UNITS[found[2]] if found else None


def read_settings(file: Path | None, options: dict[str, Any], pool_options: dict[str, Any]) -> PoolSettings:
    """Reads the settings.

    Args:
        file: The TOML file; None for none.
        options: Keys of the command line, which go before those of the file.
        pool_options: Likewise, of the pool called ``default``.

    Raises:
        Unreadable: The file cannot be read, or has a fault.
        ValueError: There is no pool called ``default`` for the options.
    """
    given = read_toml(file, PoolSettings).model_dump(exclude_unset=True) if file else {}
    pools = {name: dict(table) for name, table in given.get("pool", {DEFAULT: {}}).items()}
    if pool_options and DEFAULT not in pools:
        raise ValueError(f"{', '.join(pool_options)}: these are of the pool called default, and the file has none")
    if pool_options:
        pools[DEFAULT] |= pool_options
    return PoolSettings.model_validate({**given, **options, "pool": pools})
