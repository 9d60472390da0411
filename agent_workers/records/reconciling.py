"""A provider's own count beside the records: what differs, by day and model. Pure."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from agent_workers.records.reading import COUNTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from agent_workers.records.changes import Row

_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ].*)?")
_NAMES = {
    "day": ("day", "date", "usage_date_utc", "usage_date", "starting_at", "bucket"),
    "model": ("model", "model_version", "model_name", "model_id"),
    "input_tokens": ("input_tokens", "uncached_input_tokens", "usage_input_tokens_no_cache", "input"),
    "output_tokens": ("output_tokens", "usage_output_tokens", "output"),
    "cache_read_input_tokens": ("cache_read_input_tokens", "usage_input_tokens_cache_read", "cache_read"),
    "cost_usd": ("cost_usd", "cost", "amount", "amount_usd", "total_cost"),
}
"""What exports call it."""
_WRITES = (
    *("cache_creation_input_tokens", "cache_creation", "usage_input_tokens_cache_write"),
    *("usage_input_tokens_cache_write_5m", "usage_input_tokens_cache_write_1h"),
    *("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"),
)
"""Columns that are added up: writes to the cache, by how long they are kept."""
FIGURES = (*COUNTS, "cost_usd")


class NoExport(ValueError):
    """Raised where a file is no export that can be read; its text says why."""


class Difference(NamedTuple):
    """Where the two counts differ.

    Attributes:
        day: The day of UTC.
        model: The model; empty where it is not known.
        name: What was counted.
        recorded: What the records say; None for nothing.
        provider: What the provider says; None for nothing.
    """

    day: str
    model: str
    name: str
    recorded: float | None
    provider: float | None


def read_export(text: str) -> list[Row]:
    """Reads a provider's export: CSV with a line of names, a list of objects in JSON, or one object a line.

    Returns:
        What was used on each day by each model, as in the records; figures that the export lacks are absent.

    Raises:
        NoExport: It cannot be read, or names no day.
    """
    rows: dict[tuple[str, str], Row] = {}
    for number, given in enumerate(_objects(text), 1):
        row = _read(given, number)
        total = rows.setdefault((row["day"], row["model"]), {"day": row["day"], "model": row["model"]})
        for name in FIGURES:
            if name in row:
                total[name] = total.get(name, 0) + row[name]
    return [rows[key] for key in sorted(rows)]


def differences(recorded: Iterable[Row], provider: Iterable[Row], tolerance: float = 0.0) -> Iterator[Difference]:
    """Yields what differs, by day and model; what a provider's export does not have is not compared.

    Args:
        recorded: What the records say.
        provider: What the provider says.
        tolerance: Which part of the greater count two may differ by, such as 0.01.
    """
    provider = list(provider)
    told = {name for row in provider for name in FIGURES if name in row}
    ours = {(row["day"], row["model"]): row for row in recorded}
    theirs = {(row["day"], row["model"]): row for row in provider}
    for day, model in sorted(ours.keys() | theirs.keys()):
        for name in (name for name in FIGURES if name in told):
            a, b = (rows.get((day, model), {}).get(name) for rows in (ours, theirs))
            if abs((a or 0) - (b or 0)) > max(tolerance * max(a or 0, b or 0), 1e-6):
                yield Difference(day, model, name, a, b)


def _objects(text: str) -> list[Mapping[str, Any]]:
    text = text.removeprefix("\ufeff").strip()
    if not text:
        raise NoExport("the file is empty")
    try:
        if text[0] == "[":
            found = json.loads(text)
        elif text[0] == "{":
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            found = list(csv.DictReader(io.StringIO(text)))
    except (ValueError, RecursionError, csv.Error) as error:
        raise NoExport(f"the file is neither CSV nor JSON: {error}") from None
    objects: list[Mapping[str, Any]] = found
    if not all(isinstance(each, dict) for each in objects):
        raise NoExport("the file must hold objects, one for each day and model")
    return objects


def _read(given: Mapping[str, Any], number: int) -> Row:
    fields = {re.sub(r"[\s-]+", "_", str(name).strip().lower()): value for name, value in given.items()}
    found = {ours: value for ours, names in _NAMES.items() if (value := _first(fields, names)) is not None}
    day = _DAY.fullmatch(str(found.get("day", "")).strip())
    if not day:
        known = ", ".join(_NAMES["day"])
        raise NoExport(f"row {number} names no day: one of its columns must be {known}, such as 2026-11-27")
    row: Row = {"day": day[1], "model": str(found.get("model", "")).strip()}
    for name in FIGURES:
        if name in found:
            row[name] = _number(found[name], name, number)
    writes = [_number(fields[name], name, number) for name in _WRITES if fields.get(name) not in (None, "")]
    if writes:
        row["cache_creation_input_tokens"] = sum(writes)
    return row


def _first(fields: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((fields[name] for name in names if fields.get(name) not in (None, "")), None)


def _number(value: Any, name: str, number: int) -> float:
    try:
        return float(str(value).strip().lstrip("$").replace(",", ""))
    except ValueError:
        raise NoExport(f"row {number}: {name} is no number: {str(value)[:40]!r}") from None
