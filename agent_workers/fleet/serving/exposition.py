"""Figures as Prometheus asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.exposition import choose_encoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client import CollectorRegistry


def encoder_for(accept: str) -> tuple[Callable[[CollectorRegistry], bytes], str]:
    """Returns what writes the page, and the page's content type; the usual one where ``accept`` makes no sense."""
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):  # of a version that is none
        return choose_encoder("")
