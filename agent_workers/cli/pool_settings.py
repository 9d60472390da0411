"""The settings of ``agent-workers pool``: a file, and the options, which go before it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from agent_workers.pool.settings import PoolSettings, PoolTable, read_settings
from agent_workers.protocol.v1.explain import explain

if TYPE_CHECKING:
    from collections.abc import Callable

_OPTIONS = {"allow_users": "--allow-user"}


def reader_of(config: str | None, options: dict[str, Any]) -> Callable[[], PoolSettings]:
    """Returns what reads the settings, now and when the pool is told to read them anew.

    It raises ``Unreadable`` for a file that cannot be read or has a fault, ``ValueError`` for what else does not fit.

    Args:
        config: Path of the file; None for none.
        options: What the command line says, by the names of its options.
    """
    named = {name: value for name, value in options.items() if value not in {None, ()}}
    if users := named.pop("allow_user", None):
        named["allow_users"] = list(users)
    if "socket" in named:
        named["socket"] = str(Path(named["socket"]).absolute())
    own = {name for name in named if name in PoolTable.model_fields} - {"allow_users"}
    of_pool = {name: named[name] for name in own}
    of_server = {name: value for name, value in named.items() if name not in own or name == "max"}
    file = Path(config) if config else None
    return lambda: _read(file, of_server, of_pool)


def _read(file: Path | None, of_server: dict[str, Any], of_pool: dict[str, Any]) -> PoolSettings:
    try:
        return read_settings(file, of_server, of_pool)
    except ValidationError as error:  # of a file that is well by itself, so it is the options
        told = (f"{_place(problem.pointer)} {problem.message}" for problem in explain(error, PoolSettings))
        raise ValueError("; ".join(told)) from None


def _place(pointer: str) -> str:
    steps = pointer.split("/")[1:]
    if steps[:1] == ["pool"]:
        steps = steps[2:]
    if not steps:
        return "the pool"
    return _OPTIONS.get(steps[0], f"--{steps[0].replace('_', '-')}")
