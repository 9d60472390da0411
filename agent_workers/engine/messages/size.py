"""How many tokens a call will read, guessed on the safe side. Pure."""

from __future__ import annotations

from typing import Any

from agent_workers.wire import dump

_BYTES_A_TOKEN = 3  # of JSON
_OF_AN_IMAGE = 5_000  # the API makes larger ones smaller: docs.claude.com, "Vision"
_BYTES_A_TOKEN_OF_PDF = 10  # in base64: a page has some 50,000 bytes, and is read as text and as an image
_OF_A_LINK = 50_000  # a document of some twenty pages


def tokens_of(said: Any) -> int:
    """Returns how many tokens messages, blocks or texts may have, at most."""
    if isinstance(said, list):
        return sum(map(tokens_of, said))
    if isinstance(said, dict):
        if isinstance(said.get("content"), list):
            return tokens_of(said["content"])
        if (found := _of_attachment(said)) is not None:
            return found
    return len(dump(said)) // _BYTES_A_TOKEN + 1


def _of_attachment(block: dict[str, Any]) -> int | None:
    if block.get("type") == "image":
        return _OF_AN_IMAGE
    if block.get("type") != "document":
        return None
    source = block["source"]
    if source["type"] == "url":
        return _OF_A_LINK
    return len(source["data"]) // _BYTES_A_TOKEN_OF_PDF + 1 if source["type"] == "base64" else None
