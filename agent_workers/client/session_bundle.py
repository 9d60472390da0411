"""A conversation as one piece of bytes, which means the same on every machine. Pure.

The same files always make the same bytes, so two machines have the same conversation where the hashes are the same.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, NamedTuple

from agent_workers.errors import SessionDamaged

_FORM = 1
_MOST_PARTS = 12
_PART = re.compile(r"[^/\0]{1,255}")
_WORKER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_CALL = re.compile(r"[0-9a-f]{64}")


class Bundle(NamedTuple):
    """What belongs to a session.

    Attributes:
        agent_id: The session as its files are named.
        binding: What it is bound to, by the names of ``Binding``.
        files: The content of each file, by a name below a folder that each machine has somewhere else.
        calls: Names of the calls that wait for a decision.
    """

    agent_id: str
    binding: dict[str, Any]
    files: dict[str, bytes]
    calls: tuple[str, ...] = ()


def pack(bundle: Bundle) -> bytes:
    """Returns the bundle as bytes: a line that lists the files, and their contents one after the other."""
    names = sorted(bundle.files)
    listed = [{"name": name, "length": len(bundle.files[name]), "sha256": _hash(bundle.files[name])} for name in names]
    head = {
        "bundle": _FORM,
        "session": bundle.agent_id,
        "binding": bundle.binding,
        "calls": sorted(bundle.calls),
        "files": listed,
    }
    line = json.dumps(head, sort_keys=True, separators=(",", ":")).encode()
    return b"\n".join([line, b"".join(bundle.files[name] for name in names)])


def unpack(data: bytes, agent_id: str) -> Bundle:
    """Reads a bundle of this session.

    Args:
        data: What ``pack`` returned.
        agent_id: The session as its files are named.

    Raises:
        SessionDamaged: It is cut, changed, another session's, or names a file that lies elsewhere.
    """
    line, _, rest = data.partition(b"\n")
    try:
        return _read(json.loads(line), rest, agent_id)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise SessionDamaged(cause=f"the bundle of the session {agent_id} is damaged: {error}") from None


def _read(head: dict[str, Any], rest: bytes, agent_id: str) -> Bundle:
    if head["bundle"] != _FORM:
        raise ValueError("it has a form that this version does not read")
    if head["session"] != agent_id:
        raise ValueError("it is another session's")
    files: dict[str, bytes] = {}
    for listed in head["files"]:
        name, length = _safe(listed["name"]), int(listed["length"])
        content, rest = rest[:length], rest[length:]
        if len(content) != length or _hash(content) != listed["sha256"] or name in files:
            raise ValueError("a file in it is not what was put into it")
        files[name] = content
    if rest:
        raise ValueError("it is longer than what it lists")
    if not all(_CALL.fullmatch(call) for call in head["calls"]):
        raise ValueError("it names a call that cannot be one")
    return Bundle(agent_id, _bound(head["binding"]), files, tuple(head["calls"]))


def _safe(name: str) -> str:
    parts = name.split("/")
    if len(parts) > _MOST_PARTS or not all(_PART.fullmatch(part) and part not in (".", "..") for part in parts):
        raise ValueError("it names a file outside of the session's folders")
    return name


def _bound(binding: dict[str, Any]) -> dict[str, Any]:
    if not _WORKER.fullmatch(binding["worker"]):
        raise ValueError("it names a worker that cannot be one")
    if not all(value is None or isinstance(value, str) for value in binding.values()):
        raise ValueError("it is bound to what cannot be read")
    return binding


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
