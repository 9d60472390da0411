"""A case: what is done to a worker, and what the contract says must come of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from agent_workers.conformance.data import folder, read

LEVELS = ("core", "tools", "full")
"""Each holds those before it."""
Pattern = dict[str, Any]
"""A part of an event, see ``match.py``."""
SECTIONS = (
    "Events",
    "Lines",
    "The end",
    "Exit status",
    "The request",
    "Control messages",
    "Stopping",
    "Limits",
    "Privacy",
    "Tools of the application",
    "Live output",
    "Subagents",
    "Questions and permissions",
    "A word in between",
    "Text that is taken back",
    "Conversations",
    "Structured output",
)
"""Of the page that says more, in its order."""
_LISTS = ("arguments", "steps", "replies")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One rule of the contract, as it is put to the test.

    Attributes:
        id: Its name.
        level: The first level that asks for it.
        title: What a worker does that keeps the rule.
        section: The heading of the page that says more, ``conformance/README.md``.
        rule: What the contract says.
        cure: How a worker that breaks it is mended.
        run: What the worker is to do meanwhile, one of ``runs.json``; None for a rule that holds in every run, and is
            judged by what all other cases have brought to light.
        arguments: Of the worker's command line, after its own.
        request: What the case changes in the request, as a JSON merge patch.
        steps: What is done one after the other.
        replies: What is answered whenever such an event comes.
        expect: What must come of it.
        deadline_s: How long the worker may take.
    """

    id: str
    level: str
    title: str
    section: str
    rule: str
    cure: str
    run: str | None = None
    arguments: tuple[str, ...] = ()
    request: dict[str, Any] = field(default_factory=dict)
    steps: tuple[dict[str, Any], ...] = ({"request": {}},)
    replies: tuple[dict[str, Any], ...] = ()
    expect: dict[str, Any] = field(default_factory=dict)
    deadline_s: float = 20


@cache
def load_cases() -> tuple[Case, ...]:
    """Returns all cases: by their level, and in each as the page has them."""
    cases = (_case(read(path)) for path in sorted((folder() / "cases").glob("*.json")))
    return tuple(sorted(cases, key=_order))


@cache
def load_runs() -> dict[str, dict[str, Any]]:
    """Returns what workers are asked to do, by name: in words, and as the script of the model that has them do it."""
    runs: dict[str, dict[str, Any]] = read(folder() / "runs.json")
    return runs


def _order(case: Case) -> tuple[object, ...]:
    return LEVELS.index(case.level), SECTIONS.index(case.section), case.id != "plain", case.id


def _case(document: dict[str, Any]) -> Case:
    lists: dict[str, Any] = {name: tuple(document[name]) for name in _LISTS if name in document}
    return Case(**{**document, **lists})
