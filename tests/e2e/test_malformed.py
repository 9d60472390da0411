"""Two hundred requests that are nearly right."""

import copy
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.e2e.loaded import LoadedWorkers
from tests.e2e.stream import schema
from tests.e2e.worker import Home

EXAMPLES = Path(__file__).parents[2] / "examples" / "requests"
WHOLE: dict[str, Any] = {
    "v": 1,
    "run": "run-1",
    "prompt": [{"type": "text", "text": "Hello"}],
    "system_prompt": "Be brief.",
    "model": "claude-x",
    "fallback_model": "claude-y",
    "engine": "messages",
    "max_turns": 2,
    "max_tokens": 4000,
    "thinking": True,
    "session": {"resume": "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34", "fork": True},
    "limits": {"timeout_s": 60, "idle_timeout_s": 20, "max_budget_usd": 0.25},
    "stream": {"partial": False, "ping_s": 5},
    "output_schema": {"type": "object"},
    "metadata": {"a": 1},
}
SEEDS = [WHOLE, *(json.loads(path.read_bytes()) for path in sorted(EXAMPLES.glob("*.json")))]
REQUEST = Draft202012Validator(schema("request"))

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A request of which one part was removed, renamed, replaced or added, so that the schema refuses it."""
    request = copy.deepcopy(draw(st.sampled_from(SEEDS)))
    where = draw(st.sampled_from([part for part in _parts(request) if part]))
    key = draw(st.sampled_from(sorted(where) if isinstance(where, dict) else range(len(where))))
    how = draw(st.sampled_from(["replace", "remove", "rename", "add"]))
    if how == "replace" or isinstance(where, list):
        where[key] = draw(values)
    elif how == "add":
        where[draw(st.text())] = draw(values)
    else:
        value = where.pop(key)
        if how == "rename":
            where[draw(st.sampled_from([key.upper(), f"{key}s", key[:-1], key.replace("_", "-"), f" {key}"]))] = value
    return json.dumps(request).encode()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A request whose bytes are no JSON document any more."""
    document = json.dumps(draw(st.sampled_from(SEEDS))).encode()
    place = draw(st.integers(0, len(document) - 1))
    inserted = draw(st.binary(min_size=0, max_size=4))
    return document[:place] + inserted + document[place + draw(st.integers(0, 8)) :]


def _parts(value: Any) -> list[Any]:
    """All objects and lists in a value, itself included."""
    if not isinstance(value, dict | list):
        return []
    return [
        value,
        *(part for child in (value.values() if isinstance(value, dict) else value) for part in _parts(child)),
    ]


def _is_malformed(document: bytes) -> bool:
    try:
        return not REQUEST.is_valid(json.loads(document))
    except ValueError:
        return True


malformed = (changed() | damaged()).filter(_is_malformed)


@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(documents=st.lists(malformed, min_size=20, max_size=20))
def test_a_malformed_request_is_refused_with_one_line(
    tmp_path_factory: pytest.TempPathFactory, loaded: LoadedWorkers, documents: list[bytes]
) -> None:
    home = Home(tmp_path_factory.mktemp("malformed"), "http://127.0.0.1:9")
    try:
        first, *others = (
            documents  # one in twenty goes to the installed worker; two hundred starts would take half a minute
        )
        refused = [home.run(first)]
        home.loaded = loaded
        with ThreadPoolExecutor(4) as threads:
            refused += threads.map(home.run, others)
        for document, ended in zip(documents, refused, strict=True):
            assert ended.types == ["error"], document
            assert ended.last["code"] in ("invalid_request", "unsupported_version"), document
            assert ended.status == 2, document
            assert ended.last["details"], document
            assert "Traceback" not in ended.stderr, document
    finally:
        home.kill_all()
