"""Skill folders for tests."""

import json
from pathlib import Path
from typing import Any

TEXT = "# Score the deal\n\nThe deal is called {{ input.deal.name }}. Give a score."
INPUT = {
    "type": "object",
    "properties": {
        "deal": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "partners": {"type": "array", "items": {"type": "string"}}},
            "required": ["name"],
        },
        "note": {"type": "string"},
    },
    "required": ["deal"],
    "additionalProperties": False,
}
OUTPUT = {
    "type": "object",
    "properties": {
        "score": {"type": "number"},
        "confidence": {"type": "number"},
        "evidence": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["score", "confidence", "evidence"],
    "additionalProperties": False,
}
SETTINGS: dict[str, Any] = {
    "checks": [
        {"check": "range", "at": "/score", "min": 0, "max": 1},
        {"check": "evidence", "at": "/evidence/*"},
        {"check": "confidence", "at": "/confidence"},
    ],
    "corrections": 1,
}
DEAL = {"deal": {"name": "Murtal"}}
GOOD = {"score": 0.7, "confidence": 0.9, "evidence": ["/deal/name"]}


def make_skill(
    root: Path,
    name: str = "score",
    *,
    text: str = TEXT,
    settings: dict[str, Any] | None = None,
    skill_input: dict[str, Any] = INPUT,
    output: dict[str, Any] = OUTPUT,
    **front: Any,
) -> Path:
    """Writes a skill's folder below ``root`` and returns it; ``settings`` come on top of ``SETTINGS``."""
    folder = root / name
    (folder / "agents").mkdir(parents=True)
    (folder / "examples").mkdir()
    matter = {
        "name": name,
        "description": "Scores a deal.",
        "metadata": {"version": "1.2.0", "owner": "sales"},
        **front,
    }
    (folder / "SKILL.md").write_text(f"---\n{json.dumps(matter)}\n---\n{text}\n", "utf-8")
    (folder / "agents/agent-workers.yaml").write_text(json.dumps({**SETTINGS, **(settings or {})}), "utf-8")
    (folder / "input.schema.json").write_text(json.dumps(skill_input), "utf-8")
    (folder / "output.schema.json").write_text(json.dumps(output), "utf-8")
    (folder / "examples/murtal.json").write_text(json.dumps({"input": DEAL, "output": GOOD}), "utf-8")
    return folder
