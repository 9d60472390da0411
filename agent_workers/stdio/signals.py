"""Stop signals before and while the event loop runs."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


def stop_signals() -> list[signal.Signals]:
    """Returns SIGTERM and SIGINT, and SIGHUP unless the caller had it ignored (``nohup``)."""
    signals = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signals.append(signal.SIGHUP)
    return signals


def on_stop(act: Callable[[], None]) -> None:
    """Calls ``act`` at the first stop signal; a second one ends the process at once.

    ``act`` is to raise nothing: compiled code, such as pydantic's, takes what comes out of a handler for its own error.
    """

    def first(number: int, frame: FrameType | None) -> None:
        act()
        _handle(lambda number, frame: os._exit(128 + number))

    _handle(first)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, stop_signals())  # a console script holds them from its first line on


def remember_stop() -> list[int]:
    """Makes stop signals add their number to the returned list, until the event loop receives them."""
    received: list[int] = []
    _handle(lambda number, frame: received.append(number))
    return received


def leave_on_stop(status: int) -> None:
    """Makes a stop signal end the process at once with this exit status: the terminal event is on its way."""
    _handle(lambda number, frame: os._exit(status))


def hold_stop() -> None:
    """Keeps stop signals waiting from now on: the process ends by itself within milliseconds."""
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals())


@contextmanager
def stop_held() -> Iterator[None]:
    """Keeps stop signals waiting meanwhile, so that a line is written whole, and once."""
    hold_stop()
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, stop_signals())


def _handle(handler: Callable[[int, FrameType | None], object]) -> None:
    for number in stop_signals():
        signal.signal(number, handler)
