"""Records the golden transcripts, and the frames that they become: `python -m tests.conformance.record [NAME…]`.

Runs the real workers against the simulator, and puts ids, times, versions and prices in place that stay the same.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent_workers.conformance import Kit, load_cases, load_profile
from agent_workers.conformance.case import Case
from agent_workers.conformance.reading import digest, encoded, reading
from agent_workers.wire import dump, timestamp
from tests.convert.recorded import record as record_frames

FOLDER = Path(__file__).parents[2] / "conformance" / "v1"
TRANSCRIPTS = FOLDER / "transcripts"
BIN = Path(sys.executable).parent
BEGAN = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CASES = {case.id: case for case in load_cases()}
MESSAGES = {"engine": "messages"}


@dataclass(frozen=True)
class Source:
    """Where a transcript comes from: a case as a worker plays it."""

    case: Case
    worker: str = "agent-chat"
    request: dict[str, Any] | None = None
    scenario: Any = None


def tool(name: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "name": name, "input": arguments}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


TOOLS = [
    {
        "content": [
            text("Three things at once. "),
            tool("Bash", command="echo first", description="Print a word"),
            tool("Bash", command="echo second; exit 3", description="Fail"),
            tool("Read", file_path="/no/such/file"),
        ]
    },
    {"content": [text("One of three has worked.")]},
]
LONG = [{"cut": "whole", "content": [text("😀🦊𝒜𠀋", repeat=5600)]}]
ABOUT = {"metadata": {"order": 4711, "name": "Zoë 漢字 😀"}}
SOURCES = {
    "plain": Source(replace(CASES["plain"], request=ABOUT)),
    "thinking": Source(CASES["thinking"], request=MESSAGES),
    "tools": Source(
        replace(CASES["plain"], request={"tools": ["Bash", "Read"], "permissions": {"allow": ["Bash"]}}),
        "agent-task",
        scenario={"steps": TOOLS},
    ),
    "app-tools": Source(CASES["app-tools"], request=MESSAGES),
    "app-tool-fails": Source(CASES["app-tool-fails"], request=MESSAGES),
    "live-output": Source(CASES["tool-output"], "agent-task"),
    "question": Source(CASES["question"]),
    "steer": Source(CASES["steer"], request=MESSAGES),
    "approval": Source(CASES["permission"], "agent-task"),
    "denial": Source(CASES["permission-denied"], "agent-task"),
    "retry": Source(CASES["retry"], request=MESSAGES),
    "abort-in-tool": Source(CASES["abort-in-tool"], request=MESSAGES),
    "budget": Source(CASES["budget"]),
    "refusal": Source(CASES["refusal"]),
    "structured": Source(CASES["output"], request=MESSAGES),
    "subagent": Source(CASES["subagent"], "agent-task"),
    "refused": Source(CASES["all-problems"], request=MESSAGES),
    "oversize": Source(CASES["large"], request=MESSAGES, scenario={"steps": LONG}),
    "crash": Source(
        replace(
            CASES["sigterm"],
            steps=({"request": {}}, *3 * [{"wait": {"type": "delta"}}], {"signal": "SIGKILL"}),
        ),
        request=MESSAGES,
    ),
}
WRITTEN = ("newer", "second-attempt")
"""What no worker of ours says by itself: written by hand."""


def record(name: str) -> bytes:
    """Runs what the transcript is of, and returns its lines."""
    source = SOURCES[name]
    profile = load_profile(source.worker, [source.worker])
    case = source.case
    assert case.run
    scenarios = {case.run: source.scenario} if source.scenario else {}
    profile = replace(profile, request={**profile.request, **(source.request or {})}, scenarios=scenarios)
    kit = Kit([str(BIN / source.worker)], profile, cases=[case], patience=3)
    [verdict] = kit.run().verdicts
    assert verdict.recording
    return b"".join(settled(verdict.recording.events, name))


# What differs from run to run

_IDS = {"session_id": "session", "tool_use_id": "toolu", "call_id": "call", "permission_id": "permission"}
_IDS |= {"question_id": "question", "effect_key": "effect", "task_id": "task", "run": "run"}
_FIXED = {"worker_version": "0.1.0", "sdk_version": "0.2.0", "cli_version": "2.1.0", "model": "claude-opus-5-5"}
_FIXED |= {"duration_ms": 1000, "delay_ms": 500, "cost_usd": 0.001}
_USAGE = {"input_tokens": 100, "output_tokens": 20, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}


def settled(events: list[dict[str, Any]], name: str) -> Iterator[bytes]:
    """Yields the lines of a run with ids, times, versions and prices that do not change."""
    events = [event for event in events if event["type"] != "ping"]
    if name == "crash":
        events = events[: [event["type"] for event in events].index("delta") + 3]
    known: dict[str, str] = {}
    counts: dict[str, int] = {}
    for event in events:
        for field, kind in _IDS.items():
            if (value := event.get(field)) is not None and value not in known:
                counts[kind] = counts.get(kind, 0) + 1
                known[value] = f"golden-{name}" if kind == "run" else f"{kind}-{counts[kind]}"
    for number, event in enumerate(events, 1):
        line = dump(_renamed(_settled(event, number), known)) + b"\n"
        yield line[: len(line) // 2] if name == "crash" and number == len(events) else line


def _settled(event: dict[str, Any], number: int) -> dict[str, Any]:
    at = BEGAN + timedelta(milliseconds=10 * number)
    changed = {**event, "seq": number, "ts": timestamp(at)}
    changed |= {field: value for field, value in _FIXED.items() if field in event}
    if event.get("cli_version") == "none":
        changed["cli_version"] = "none"
    if "expires_at" in event:
        left = datetime.fromisoformat(event["expires_at"]) - datetime.fromisoformat(event["ts"])
        changed["expires_at"] = timestamp(at + timedelta(seconds=round(left.total_seconds())))
    if "usage" in event:
        changed["usage"] = _USAGE
    changed.pop("models", None)
    return changed


def _renamed(value: Any, known: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _renamed(item, known) for name, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, known) for item in value]
    if isinstance(value, str) and len(value) < 1000:  # no id stands in a longer text
        return re.sub("|".join(map(re.escape, known)), lambda found: known[found[0]], value)
    return value


def main(names: list[str]) -> None:
    for name in names or SOURCES:
        (TRANSCRIPTS / f"{name}.ndjson").write_bytes(record(name))
    recorded = {path.stem: path.read_bytes() for path in sorted(TRANSCRIPTS.glob("*.ndjson"))}
    digests = {name: digest(lines) for name, lines in recorded.items()}
    (FOLDER / "digests.json").write_text(json.dumps(digests, indent=2) + "\n")
    for name, lines in recorded.items():
        path = FOLDER / "readings" / f"{name}.json"
        path.write_text(json.dumps(reading(lines), ensure_ascii=False, indent=1) + "\n", "utf-8")
        assert encoded(json.loads(path.read_text("utf-8"))) == encoded(reading(lines))
    record_frames()


if __name__ == "__main__":
    main(sys.argv[1:])
