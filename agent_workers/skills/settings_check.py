"""What is wrong with settings that are sound as such: they ask for what cannot be, or the schemas do not know it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from agent_workers.protocol.v1.engines import MESSAGES
from agent_workers.protocol.v1.fields import MAX_ITEMS
from agent_workers.protocol.v1.problem import pointer
from agent_workers.protocol.v1.settings import Limits
from agent_workers.protocol.v1.task_request import tools_of
from agent_workers.protocol.v1.tools import BUILT_IN_TOOLS, nearest_tool, path_rule_of
from agent_workers.skills.faults import Fault
from agent_workers.skills.load import unknown_words
from agent_workers.skills.pointers import EACH, steps_of
from agent_workers.skills.schema_paths import Known, SchemaPaths, Unknown
from agent_workers.skills.settings import (
    ConfidenceCheck,
    EvidenceCheck,
    IdsCheck,
    InInput,
    InOutput,
    RangeCheck,
    Settings,
    SumCheck,
    UniqueCheck,
)
from agent_workers.skills.skill import INPUT_SCHEMA, OUTPUT_SCHEMA, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.skills.settings import Check

Path = tuple["str | int", ...]

_LEAST_TIME_S = 5
"""Seconds below which no model has answered; the agent's CLI alone takes one to come up."""

_CONFIDENCE = "confidence"
_LISTS = ("checks", "tools")
_NUMBERS = frozenset({"integer", "number"})
_TEXT = frozenset({"string"})
_IDS = _TEXT | _NUMBERS
_WORDS = {_NUMBERS: "a number", _TEXT: "text", _IDS: "text or a number"}


class Sound(NamedTuple):
    """What of a settings document is sound.

    Attributes:
        settings: The settings without what is faulty.
        numbers: For each list that may have lost an item, the numbers that its items have in the document.
        declared: The names of all checks, the faulty ones included.
    """

    settings: Settings
    numbers: dict[str, list[int]]
    declared: list[Any]


def sound_part(document: Any) -> Sound:
    """Returns what is left of a settings document without the fields and items that are faulty."""
    kept: dict[str, Any] = {}
    numbers: dict[str, list[int]] = {name: [] for name in _LISTS}
    fields = document if isinstance(document, dict) else {}
    for name, value in fields.items():
        if name in _LISTS and isinstance(value, list):
            sound = [number for number, item in enumerate(value[:MAX_ITEMS]) if not _wrong({name: [item]})]
            numbers[name] = sound
            kept[name] = [value[number] for number in sound]
        elif not (wrong := _wrong({name: value})):
            kept[name] = value
        elif isinstance(value, dict):
            part = {field: each for field, each in value.items() if field not in wrong}
            kept |= {} if _wrong({name: part}) else {name: part}
    checks = fields.get("checks")
    items = checks if isinstance(checks, list) else []
    declared = [item.get("check") if isinstance(item, dict) else None for item in items]
    return Sound(Settings.model_validate(kept), numbers, declared)


def _wrong(document: dict[str, Any]) -> set[Any]:
    """Returns the fields at the second level that are faulty; the first where it is faulty itself."""
    try:
        Settings.model_validate(document)
    except ValidationError as error:
        return {(*fault["loc"], "")[1] or fault["loc"][0] for fault in error.errors(include_url=False)}
    return set()


def settings_faults(sound: Sound, schemas: dict[str, dict[str, Any]]) -> Iterator[Fault]:
    """Yields what cannot be as the settings say it.

    Args:
        sound: The settings.
        schemas: By file, the skill's schemas, sound or not; one that could not be read is missing.
    """
    yield from _tool_faults(sound)
    yield from _model_faults(sound.settings)
    yield from _escalation_faults(sound)
    yield from _limit_faults(sound.settings)
    yield from _confidence_faults(sound)
    paths = {file: SchemaPaths(schemas.get(file, {})) for file in (INPUT_SCHEMA, OUTPUT_SCHEMA)}
    seen: set[str] = set()
    for number, check in zip(sound.numbers["checks"], sound.settings.checks, strict=True):
        told = json.dumps(check.model_dump(exclude_defaults=True), sort_keys=True)
        if told in seen:
            yield _fault(("checks", number), "is the same as an earlier check; remove one of them")
        else:
            seen.add(told)
            yield from _Checked(("checks", number), paths).faults(check)


def _tool_faults(sound: Sound) -> Iterator[Fault]:
    settings, seen = sound.settings, set[str]()
    for number, name in zip(sound.numbers["tools"], settings.tools, strict=True):
        if not name.startswith("mcp__") and name not in BUILT_IN_TOOLS:
            near = nearest_tool(name)
            guess = f"did you mean {near}?" if near else f"one of: {', '.join(BUILT_IN_TOOLS)}"
            yield _fault(("tools", number), f"is not a known tool; {guess}")
        if name in seen:
            yield _fault(("tools", number), "is listed more than once; remove one of them")
        seen.add(name)
    for where in ("allow", "deny"):
        for number, rule in enumerate(getattr(settings.permissions, where)):
            yield from _rule_faults(("permissions", where, number), rule, settings)
    if settings.permissions.decision is not None:
        yield _fault(("permissions", "decision"), "is said by a request, not by a skill; remove it")


def _rule_faults(place: Path, rule: str, settings: Settings) -> Iterator[Fault]:
    name, _, path = rule.partition("(")
    if path_rule_of(name) and path.startswith("/") and not path.startswith("//"):
        yield _fault(place, "must be relative to cwd: leave the / at its beginning out")
    if place[1] != "allow":
        return
    if not tools_of(rule, settings.tools):
        yield _fault(place, f"allows {name}, which is not in tools; add it there, or remove the rule")
    elif settings.permissions.mode == "defer" and rule not in settings.tools:
        yield _fault(place, f"must be a whole tool in mode defer: write {name}, or choose another mode")


def _model_faults(settings: Settings) -> Iterator[Fault]:
    if settings.model is not None and settings.fallback_model == settings.model:
        yield _fault(("fallback_model",), "must be another model than model, which it stands in for")


def _escalation_faults(sound: Sound) -> Iterator[Fault]:
    settings, escalation = sound.settings, sound.settings.escalation
    if escalation is None:
        return
    if escalation.model == settings.model:
        yield _fault(("escalation", "model"), "must be another model than model: name a stronger one")
    for number, reason in enumerate(escalation.when):
        place = ("escalation", "when", number)
        if reason in escalation.when[:number]:
            yield _fault(place, "is listed more than once; remove one of them")
        elif reason == "checks_failed" and not sound.declared:
            yield _fault(place, "can never be: there are no checks; declare some, or remove it")
        elif reason == "low_confidence" and _CONFIDENCE not in sound.declared:
            yield _fault(place, "can never be: it needs {check: confidence, at: /pointer} in checks")
        elif reason == "low_confidence" and settings.review_below is None:
            yield _fault(place, "can never be: it needs review_below, the least confidence that is enough")


def _limit_faults(settings: Settings) -> Iterator[Fault]:
    limits = settings.limits
    timeout_s = Limits().timeout_s if limits.timeout_s is None else limits.timeout_s
    if timeout_s < _LEAST_TIME_S:
        words = f"leaves a model no time to answer: it is in seconds, and at least {_LEAST_TIME_S} make sense"
        yield _fault(("limits", "timeout_s"), words)
    if limits.idle_timeout_s is not None and limits.idle_timeout_s > timeout_s:
        usual = "" if limits.timeout_s else " where it is not set"
        words = f"can never be reached: the run ends after timeout_s, {timeout_s:.15g}{usual}; make it less"
        yield _fault(("limits", "idle_timeout_s"), words)
    elif limits.idle_timeout_s is not None and limits.idle_timeout_s < _LEAST_TIME_S:
        words = f"leaves a model no time to think: it is in seconds, and at least {_LEAST_TIME_S} make sense"
        yield _fault(("limits", "idle_timeout_s"), words)
    if settings.tools and settings.engine == MESSAGES:
        yield _fault(("engine",), "must be agent for a skill with tools: messages has none")
    if settings.max_tokens is not None and settings.engine != MESSAGES:
        yield _fault(("max_tokens",), "needs engine: messages")
    if settings.tools and settings.max_turns == 1:
        yield _fault(("max_turns",), "must be at least 2 for a skill with tools: a call and then the answer")


def _confidence_faults(sound: Sound) -> Iterator[Fault]:
    settings = sound.settings
    if settings.review_below is not None and _CONFIDENCE not in sound.declared:
        yield _fault(("review_below",), "needs {check: confidence, at: /pointer} in checks: it says what is compared")
    if settings.review_below == 0:
        yield _fault(("review_below",), "must be above 0: no confidence is below that")
    numbers = zip(sound.numbers["checks"], settings.checks, strict=True)
    for number in [number for number, check in numbers if isinstance(check, ConfidenceCheck)][1:]:
        yield _fault(("checks", number), "is a second check of confidence; keep the one that tells it")


class _Checked:
    """One check, held against the schemas.

    Args:
        place: Its place in the settings.
        paths: The schemas, by file.
    """

    def __init__(self, place: Path, paths: dict[str, SchemaPaths]) -> None:
        self._place = place
        self._paths = paths

    def faults(self, check: Check) -> Iterator[Fault]:
        """Yields what is wrong with the check."""
        match check:
            case EvidenceCheck():
                yield from self._fit(("at",), OUTPUT_SCHEMA, check.at, _TEXT)
            case IdsCheck():
                yield from self._ids(check)
            case SumCheck():
                yield from self._fit(("at",), OUTPUT_SCHEMA, check.at, _NUMBERS)
                yield from self._bounds(check)
                if check.equals is not None and (check.min is not None or check.max is not None):
                    yield self._told((), "says equals and min or max; keep the one that is meant")
                if check.equals is None and check.min is None and check.max is None:
                    yield self._told((), "says nothing: add equals, min or max")
            case RangeCheck():
                yield from self._fit(("at",), OUTPUT_SCHEMA, check.at, _NUMBERS)
                yield from self._bounds(check)
                if check.min is None and check.max is None:
                    yield self._told((), "says nothing: add min or max")
            case UniqueCheck():
                yield from self._unique(check.at)
            case ConfidenceCheck():
                yield from self._fit(("at",), OUTPUT_SCHEMA, check.at, _NUMBERS)
                if EACH in steps_of(check.at):
                    yield self._told(("at",), "must lead to one number: there is one confidence for all of the output")

    def _ids(self, check: IdsCheck) -> Iterator[Fault]:
        if check.of is None and check.not_of is None:
            yield self._told((), "says nothing: add of or not_of, each as {input: /pointer}")
        faults = list(self._fit(("at",), OUTPUT_SCHEMA, check.at, _IDS))
        lists = {name: place.input for name, place in (("of", check.of), ("not_of", check.not_of)) if place}
        for name, at in lists.items():
            faults += self._fit((name, "input"), INPUT_SCHEMA, at, _IDS)
        yield from faults
        if faults:
            return
        wanted = self._kinds(OUTPUT_SCHEMA, check.at)
        for at in lists.values():
            if not self._kinds(INPUT_SCHEMA, at) & wanted & _IDS:
                kinds = ("numbers", "text") if wanted & _NUMBERS else ("text", "numbers")
                yield self._told(("at",), f"has {kinds[0]} and the input's ids are {kinds[1]}: no two can be equal")

    def _bounds(self, check: SumCheck | RangeCheck) -> Iterator[Fault]:
        for name in ("equals", "min", "max"):
            match getattr(check, name, None):
                case InInput(input=at):
                    yield from self._fit((name, "input"), INPUT_SCHEMA, at, _NUMBERS)
                case InOutput(output=at):
                    yield from self._fit((name, "output"), OUTPUT_SCHEMA, at, _NUMBERS)
        if isinstance(check.min, float | int) and isinstance(check.max, float | int) and check.min > check.max:
            yield self._told(("min",), f"must be at most max, {check.max:.15g}")

    def _unique(self, at: str) -> Iterator[Fault]:
        found = self._paths[OUTPUT_SCHEMA].find(steps_of(at))
        if isinstance(found, Unknown):
            yield from self._fit(("at",), OUTPUT_SCHEMA, at, frozenset())
        elif EACH not in steps_of(at):
            cure = f"write {at}/*" if "array" in found.kinds else "put * where there are several"
            yield self._told(("at",), f"leads to one value, which is never there twice; {cure}")

    def _kinds(self, file: str, at: str) -> frozenset[str]:
        found = self._paths[file].find(steps_of(at))
        return found.kinds if isinstance(found, Known) else frozenset()

    def _fit(self, name: Path, file: str, at: str, kinds: frozenset[str]) -> Iterator[Fault]:
        """Yields a fault where a pointer leads to what the schema does not know, or to what is of none of the types."""
        steps = steps_of(at)
        found = self._paths[file].find(steps)
        if isinstance(found, Unknown):
            place = pointer(steps[: found.depth]) or f"the {'input' if file == INPUT_SCHEMA else 'output'}"
            yield self._told(name, f"{at or 'it'} leads nowhere: {_nowhere(found, place, steps[found.depth], file)}")
        elif not found.kinds & kinds:
            cure = f"; write {at}/* for each of its items" if "array" in found.kinds else ""
            yield self._told(name, f"must lead to {_WORDS[kinds]}, and {file} has {_named(found.kinds)} there{cure}")

    def _told(self, below: Path, message: str) -> Fault:
        return _fault((*self._place, *below), message)


def _nowhere(unknown: Unknown, place: str, step: str, file: str) -> str:
    if unknown.kinds == {"array"}:
        return f"{place} is a list in {file}; put * for each of its items, or the number of one"
    if step == EACH and "object" in unknown.kinds:
        return f"{place} is an object with fields of its own in {file}; * is for lists, and for objects with free keys"
    return unknown_words(unknown, place, step, file)


def _named(kinds: frozenset[str]) -> str:
    words = {
        "string": "text",
        "number": "a number",
        "boolean": "true or false",
        "null": "null",
        "array": "a list",
        "object": "an object",
    }
    known = kinds if "number" in kinds else {"number" if kind == "integer" else kind for kind in kinds}
    return " or ".join(words[kind] for kind in words if kind in known) or "nothing"


def _fault(path: Path, message: str) -> Fault:
    return Fault(SETTINGS, pointer(path), message)
