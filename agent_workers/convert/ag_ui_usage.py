"""Tokens as AG-UI counts them: its totals include what was read from the cache and written to it; ours don't."""

from __future__ import annotations

from typing import Any

from agent_workers.convert.json_text import readable_name

_MOST = 2**53 - 1  # AG-UI has no larger counts
_CACHED = {"cachedInputTokens": "cache_read_input_tokens", "cacheWriteInputTokens": "cache_creation_input_tokens"}


def token_usage(usage: Any, models: Any, model: str | None) -> list[dict[str, Any]]:
    """Returns an entry for each model, or one for the run where the models are not told apart."""
    if isinstance(models, dict) and models:
        entries = [_entry(counts, readable_name(name)) for name, counts in models.items()]
    else:
        entries = [_entry(usage, model)]
    return [entry for entry in entries if entry.keys() - {"model"}]


def _entry(counts: Any, model: str | None) -> dict[str, Any]:
    known = {name: count for name, count in counts.items() if _is_count(count)} if isinstance(counts, dict) else {}
    entry: dict[str, Any] = {} if model is None else {"model": model}
    cached = {ours: known[theirs] for ours, theirs in _CACHED.items() if theirs in known}
    if "input_tokens" in known:
        entry["inputTokens"] = known["input_tokens"] + sum(cached.values())
        entry |= cached
    if "output_tokens" in known:
        entry["outputTokens"] = known["output_tokens"]
    if "inputTokens" in entry and "outputTokens" in entry:
        entry["totalTokens"] = entry["inputTokens"] + entry["outputTokens"]
    return {name: value for name, value in entry.items() if name == "model" or value <= _MOST}


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _MOST
