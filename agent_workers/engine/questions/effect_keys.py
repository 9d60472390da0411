"""Names the effects of a run's calls, so that what an attempt has done is known in the next one. Pure."""

from __future__ import annotations

import json
from collections import Counter
from hashlib import sha256
from typing import Any

from agent_workers.wire import mend_surrogates


class EffectKeys:
    """The keys of one run's calls of the application's tools.

    Args:
        run: The run's id; a further attempt of the run bears the same.
    """

    def __init__(self, run: str) -> None:
        self._run = run
        self._made: Counter[str] = Counter()

    def next(self, name: str, tool_input: dict[str, Any]) -> str:
        """Returns the key of the next call of this tool with this input."""
        call = _canonical([self._run, name, tool_input])
        self._made[call] += 1
        return sha256(f"{call}{self._made[call]}".encode()).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(_plain(mend_surrogates(value)), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _plain(value: Any) -> Any:
    """Returns the value with each number in one form: a model may write 1 in one attempt and 1.0 in the next."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
