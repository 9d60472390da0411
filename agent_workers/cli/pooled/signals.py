"""The signals that stop a run, as bytes to wait for."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal  # signal makes enums of all numbers, which takes as long as the rest of the start

_SIGTERM, _SIGINT = 15, 2


def hold_stop() -> None:
    """Keeps stop signals waiting, and lets all others come through, whatever the caller has left."""
    signal.pthread_sigmask(signal.SIG_SETMASK, _stopping())
    signal.alarm(0)


def _stopping() -> list[int]:
    hangup = [] if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else [signal.SIGHUP]  # as under nohup
    return [signal.SIGTERM, signal.SIGINT, *hangup]


class StopSignals:
    """Receives stop signals from now on.

    Attributes:
        fd: Can be read when one has come.
    """

    def __init__(self) -> None:
        self.fd, writing = os.pipe()
        for fd in (self.fd, writing):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for number in _stopping():
            signal.signal(number, lambda number, frame: None)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    def received(self) -> list[int]:
        """Returns the numbers of those that have come."""
        try:
            return list(os.read(self.fd, 64))
        except BlockingIOError:
            return []

    def hold(self) -> None:
        """Keeps the signals waiting again, those that nobody has asked for included."""
        hold_stop()
        for number in self.received():
            os.kill(os.getpid(), number)


def told_as(number: int) -> bytes:
    """Returns the line that tells a pool of a stop signal."""
    return b'{"pool":1,"signal":%d}\n' % (_SIGINT if number == _SIGINT else _SIGTERM)
