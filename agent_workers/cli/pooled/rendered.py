"""``--pretty`` and ``--result`` where a pool serves the run: it sends events, and they are rendered here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agent_workers.cli.pooled.show import Show
from agent_workers.stdio.stdout import Stdout

if TYPE_CHECKING:
    from agent_workers.cli.pretty import Pretty
    from agent_workers.cli.result_only import ResultOnly
    from agent_workers.stdio.unblocked import Unblocked


class Rendered(Show):
    """Shows the events for a person, or of the last one the output alone."""

    def __init__(self, program: str, out: Unblocked, *, pretty: bool) -> None:
        super().__init__(program, out)
        self._pretty = _pretty(out) if pretty else None
        self._form = self._pretty or _result_only(program, out)

    @property
    def behind_until(self) -> float | None:  # type: ignore[override]
        """When what the last events left unpainted is painted."""
        return self._pretty.paint_at if self._pretty else None

    def take(self, lines: bytes) -> None:
        """Renders whole lines."""
        for line in lines.splitlines():
            self._form.send_now(line)

    def catch_up(self) -> None:
        """Paints what was left unpainted, when it is time."""
        if self._pretty:
            self._pretty.paint_now()

    def tell(self, fault: str) -> None:
        """Tells it where the rendered events do not."""
        if not self._form.tells_errors:
            super().tell(fault)


class _Queue(Stdout):
    """Stdout to which nothing is written here: it stays pending."""

    def __init__(self, out: Unblocked) -> None:
        self._out = out

    def send_now(self, line: bytes, *, patience_s: float = 0) -> None:
        """Adds to what is pending."""
        self._out.pending += line


def _pretty(out: Unblocked) -> Pretty:
    from agent_workers.cli.pretty import Pretty  # brings the event loop

    return Pretty(_Queue(out))


def _result_only(program: str, out: Unblocked) -> ResultOnly:
    from agent_workers.cli.result_only import ResultOnly

    return ResultOnly(program, _Queue(out))


def with_tool_output(request: bytes) -> bytes:
    """Returns the request with the output of tools asked for, unless it says itself whether it wants that."""
    try:
        document = json.loads(request, object_pairs_hook=_unrepeated, parse_constant=_refused)
    except (ValueError, RecursionError):
        return request  # which is refused as it is
    stream = document.setdefault("stream", {}) if isinstance(document, dict) else None
    if not isinstance(stream, dict) or "tool_output" in stream:
        return request
    stream["tool_output"] = True
    return json.dumps(document).encode()


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a repeated key")
    return document


def _refused(text: str) -> float:
    raise ValueError(text)
