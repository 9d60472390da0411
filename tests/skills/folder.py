"""A skill's folder that is right, to be broken by the tests."""

import json
from pathlib import Path
from typing import Any

NAME = "deal-score"
FRONT = """\
name: deal-score
description: Scores a deal. Use it before a forecast.
license: MIT
metadata:
  version: "1.2.0"
  owner: sales
"""
TEXT = "# Score the deal\n\nThe deal is {{ input.deal.name }}.\n"
SETTINGS = """\
model: claude-x
checks:
  - {check: range, at: /score, min: 0, max: 1}
  - {check: evidence, at: /reasons/*/evidence/*}
  - {check: ids, at: /partners/*, of: {input: /deal/partners/*/id}}
  - {check: unique, at: /partners/*}
  - {check: sum, at: /costs/*, max: {input: /deal/budget_eur}}
  - {check: confidence, at: /confidence}
escalation: {model: claude-y, when: [checks_failed, low_confidence]}
review_below: 0.6
"""
TEXT_FIELD = {"type": "string"}
NUMBER = {"type": "number"}
INPUT: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {
        "deal": {
            "type": "object",
            "properties": {
                "name": TEXT_FIELD,
                "budget_eur": NUMBER,
                "partners": {"type": "array", "items": {"$ref": "#/definitions/partner"}},
                "tags": {"type": "object", "additionalProperties": TEXT_FIELD},
            },
            "required": ["name"],
            "additionalProperties": False,
        },
    },
    "required": ["deal"],
    "additionalProperties": False,
    "definitions": {"partner": {"type": "object", "properties": {"id": TEXT_FIELD}, "required": ["id"]}},
}
OUTPUT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "score": NUMBER,
        "confidence": NUMBER,
        "partners": {"type": "array", "items": TEXT_FIELD},
        "costs": {"type": "array", "items": NUMBER},
        "reasons": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"topic": TEXT_FIELD, "evidence": {"type": "array", "items": TEXT_FIELD}},
                "required": ["topic"],
            },
        },
    },
    "required": ["score", "confidence"],
    "additionalProperties": False,
}
EXAMPLE: dict[str, Any] = {
    "input": {"deal": {"name": "Murtal", "budget_eur": 100, "partners": [{"id": "p1"}, {"id": "p2"}]}},
    "output": {
        "score": 0.7,
        "confidence": 0.9,
        "partners": ["p2"],
        "costs": [40, 60],
        "reasons": [{"topic": "budget", "evidence": ["/deal/budget_eur"]}],
    },
    "decisive": ["/score", "/reasons/*/topic"],
}


class Folder:
    """A skill's folder; ``None`` in place of a part leaves its file out."""

    def __init__(self, root: Path, name: str = NAME) -> None:
        self.path = root / name
        self.front: str | None = FRONT.replace(NAME, name)
        self.text = TEXT
        self.settings: str | None = SETTINGS
        self.input: Any = INPUT
        self.output: Any = OUTPUT
        self.examples: dict[str, Any] = {"murtal": EXAMPLE}

    def write(self) -> Path:
        head = None if self.front is None else f"---\n{self.front}---\n\n{self.text}"
        self.put("SKILL.md", head)
        self.put("agents/agent-workers.yaml", self.settings)
        self.put("input.schema.json", self.input)
        self.put("output.schema.json", self.output)
        for name, example in self.examples.items():
            self.put(f"examples/{name}.json", example)
        return self.path

    def put(self, file: str, content: Any) -> Path:
        path = self.path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif content is not None:
            path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return path


def replaced(value: Any, *path: str | int, by: Any) -> Any:
    """A copy of a document with another value at a path; ``...`` removes what is there."""
    copy = json.loads(json.dumps(value))
    *above, last = path
    at = copy
    for step in above:
        at = at[step]
    if by is ...:
        del at[last]
    else:
        at[last] = by
    return copy
