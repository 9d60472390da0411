"""Stop signals before and while the event loop runs."""

import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import NoReturn


class StopRequested(BaseException):
    """Raised where the main thread stands when a stop signal comes before the event loop runs."""


def stop_signals() -> list[signal.Signals]:
    """SIGTERM and SIGINT, and SIGHUP unless the caller had it ignored (``nohup``)."""
    signals = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signals.append(signal.SIGHUP)
    return signals


def raise_on_stop() -> None:
    """Makes the first stop signal raise ``StopRequested``; a second one ends the process at once."""

    def first(number: int, frame: FrameType | None) -> NoReturn:
        _handle(lambda number, frame: os._exit(128 + number))
        raise StopRequested

    _handle(first)


def remember_stop() -> list[int]:
    """Makes stop signals add their number to the returned list, until the event loop receives them."""
    received: list[int] = []
    _handle(lambda number, frame: received.append(number))
    return received


def _handle(handler: Callable[[int, FrameType | None], object]) -> None:
    for number in stop_signals():
        signal.signal(number, handler)
