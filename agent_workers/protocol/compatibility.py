"""Whether newer schemas keep what older ones promised: within a version, things are only added.

What callers send (request, control) must go on being accepted, what they read (events) must keep its meaning.
Understands the keywords that the generated schemas use, and errs on the side of refusing.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Schema = dict[str, Any]

_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_EXACT = ("pattern", "format", "contentEncoding", "not")


class Pair(NamedTuple):
    """The older and the newer schema of one place; `sent` when callers send it, else they read it."""

    old: Schema
    new: Schema
    place: str
    sent: bool


def breaks(old: dict[str, Schema], new: dict[str, Schema]) -> list[str]:
    """Returns every change from one set of schemas (by file name) to another that breaks a caller or a reader."""
    found = [f"{name}: was removed" for name in old if name not in new]
    for name in old.keys() & new.keys():
        pair = Pair(_inlined(old[name], old[name]), _inlined(new[name], new[name]), name, _is_sent(name))
        found += _compare(pair)
    return sorted(found)


def _is_sent(name: str) -> bool:
    """Tells whether callers send it; an event may be called ``permission_request``."""
    folders, _, file = name.rpartition("/")
    return not folders.endswith("events") and file.partition(".")[0].endswith(("request", "control", "job"))


def _inlined(schema: Any, root: Schema) -> Any:
    """Returns the schema with its references, which all lead into $defs and never round in circles, replaced."""
    if isinstance(schema, list):
        return [_inlined(item, root) for item in schema]
    if not isinstance(schema, dict):
        return schema
    reference = schema.get("$ref")
    target = root["$defs"][reference.rpartition("/")[2]] if isinstance(reference, str) else {}
    return {key: _inlined(value, root) for key, value in (target | schema).items() if key not in {"$defs", "$ref"}}


def _compare(pair: Pair) -> Iterator[str]:
    if pair.old == pair.new:
        return
    before, after = pair.old.get("oneOf", [pair.old]), pair.new.get("oneOf", [pair.new])
    if len(before) == len(after) == 1:
        yield from _compare_one(pair)
        return
    old, new = {_label(branch): branch for branch in before}, {_label(branch): branch for branch in after}
    for label in old.keys() - new.keys():
        yield f"{pair.place}: {label} is no longer possible"
    for label in new.keys() - old.keys() if not pair.sent else ():
        yield f"{pair.place}: {label} has become possible"
    for label in old.keys() & new.keys():
        yield from _compare_one(pair._replace(old=old[label], new=new[label], place=f"{pair.place} ({label})"))


def _label(branch: Schema) -> str:
    """Returns what tells an alternative from the others: its type, and its ``type`` field or the fields it requires."""
    kind = branch.get("properties", {}).get("type", {}).get("const") or ", ".join(branch.get("required", []))
    return f"{branch.get('type', 'any value')} {kind}".strip()


def _compare_one(pair: Pair) -> Iterator[str]:
    for rule in _RULES:
        yield from rule(pair)


def _type(pair: Pair) -> Iterator[str]:
    old, new = pair.old.get("type"), pair.new.get("type")
    widened = pair.sent and (new is None or (old, new) == ("integer", "number"))
    if old != new and not widened:
        yield f"{pair.place}: type {old} became {new}"


def _values(pair: Pair) -> Iterator[str]:
    old, new = _allowed(pair.old), _allowed(pair.new)
    widened = new is None or (old is not None and old <= new)
    if old != new and not (pair.sent and widened):
        yield f"{pair.place}: the values {sorted(old or [])} became {sorted(new or [])}"


def _allowed(schema: Schema) -> set[str] | None:
    values = schema.get("enum", [schema["const"]] if "const" in schema else None)
    return None if values is None else {repr(value) for value in values}


def _bounds(pair: Pair) -> Iterator[str]:
    for keyword in (*_LOWER, *_UPPER):
        old, new = pair.old.get(keyword), pair.new.get(keyword)
        tight, loose = (new, old) if pair.sent else (old, new)
        sign = 1 if keyword in _LOWER else -1
        if tight is not None and (loose is None or sign * tight > sign * loose):
            yield f"{pair.place}: {keyword} {old} became {new}"


def _exact(pair: Pair) -> Iterator[str]:
    for keyword in _EXACT:
        old, new = pair.old.get(keyword), pair.new.get(keyword)
        dropped = new is None if pair.sent else old is None
        if old != new and not dropped:
            yield f"{pair.place}: {keyword} {old} became {new}"


def _default(pair: Pair) -> Iterator[str]:
    if "default" in pair.old and pair.old["default"] != pair.new.get("default"):
        yield f"{pair.place}: default {pair.old['default']} became {pair.new.get('default')}"


def _fields(pair: Pair) -> Iterator[str]:
    old, new = pair.old.get("properties", {}), pair.new.get("properties", {})
    for name in old.keys() - new.keys():
        yield f"{pair.place}/{name}: was removed"
    for name in old.keys() & new.keys():
        yield from _compare(pair._replace(old=old[name], new=new[name], place=f"{pair.place}/{name}"))
    if pair.sent and pair.old.get("additionalProperties") is not False:
        for name in new.keys() - old.keys():
            yield f"{pair.place}/{name}: could be anything and is restricted now"


def _required(pair: Pair) -> Iterator[str]:
    old, new = set(pair.old.get("required", [])), set(pair.new.get("required", []))
    for name in new - old if pair.sent else old - new:
        yield f"{pair.place}/{name}: is {'now' if pair.sent else 'no longer'} required"


def _others(pair: Pair) -> Iterator[str]:
    """Items of a list, and fields of an object that have no name of their own."""
    for keyword, anything in (("items", {}), ("additionalProperties", True)):
        old, new = pair.old.get(keyword, anything), pair.new.get(keyword, anything)
        place = f"{pair.place}/*"
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _compare(pair._replace(old=old, new=new, place=place))
        elif old != new and (new if not pair.sent else old) is not False:
            yield f"{place}: {keyword} {old} became {new}"


def _cases(pair: Pair) -> Iterator[str]:
    old, new = _by_type(pair.old), _by_type(pair.new)
    for kind in old.keys() - new.keys():
        yield f"{pair.place}: type {kind} was removed"
    for kind in old.keys() & new.keys():
        yield from _compare(pair._replace(old=old[kind], new=new[kind], place=f"{pair.place} ({kind})"))


def _by_type(schema: Schema) -> dict[str, Schema]:
    return {case["if"]["properties"]["type"]["const"]: case["then"] for case in schema.get("allOf", [])}


_RULES: tuple[Callable[[Pair], Iterator[str]], ...] = (
    *(_type, _values, _bounds, _exact, _default),
    *(_fields, _required, _others, _cases),
)
