"""The run's own key for the API, which its caller hands over by a descriptor: it stands nowhere that others can see."""

from __future__ import annotations

import os
import re
import select
import time
from contextlib import suppress
from typing import NoReturn, Protocol

from agent_workers.errors import InvalidRequest

OPTION = "--credential-fd"
MAX_CREDENTIAL = 64 << 10
_PATIENCE_S = 10
_OUTPUTS = (1, 2)
_KEY = re.compile(r"[!-~]+")


class Beginning(Protocol):
    """Stdin before the request; see ``Stdin``."""

    def read_line(self, most: int, within_s: float) -> bytes | None: ...


class DescriptorCredential:
    """The key in a descriptor that the caller has opened: all of it, or the first line where it is stdin.

    Args:
        descriptor: Its number. Looked at here, before this process opens anything that could take the number.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._is_open = False
        with suppress(OSError, OverflowError):
            os.set_inheritable(descriptor, False)
            self._is_open = True

    def __call__(self, stdin: Beginning) -> str:
        """Reads the key; what follows it on stdin is left there.

        Raises:
            InvalidRequest: There is none.
        """
        if self._descriptor == 0:
            line = stdin.read_line(MAX_CREDENTIAL, _PATIENCE_S)
            return credential_of(_late("its first line") if line is None else line)
        if self._descriptor in _OUTPUTS:
            _refuse(f"{self._descriptor} is an output of the worker. Pass 0, or a descriptor from 3 on")
        if not self._is_open:
            _refuse(f"nothing is open as descriptor {self._descriptor}. Open it for the worker, as with 3< FILE")
        try:
            return credential_of(self._read())
        except OSError as error:
            _refuse(f"descriptor {self._descriptor} cannot be read: {error.strerror}. Open it for reading")
        finally:
            os.close(self._descriptor)

    def _read(self) -> bytes:
        until = time.monotonic() + _PATIENCE_S
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        data = b""
        while len(data) <= MAX_CREDENTIAL:
            if not poll.poll(max(0, until - time.monotonic()) * 1000):
                _late("its end")
            with suppress(BlockingIOError):
                chunk = os.read(self._descriptor, MAX_CREDENTIAL + 1)
                if not chunk:
                    break
                data += chunk
        return data


def credential_of(data: bytes) -> str:
    """Returns the key that was handed over.

    Raises:
        InvalidRequest: It is none. The words do not repeat it.
    """
    if len(data) > MAX_CREDENTIAL:
        _refuse(f"the key is longer than {MAX_CREDENTIAL >> 10} KiB. Write the key alone")
    key = data.decode("utf-8", "replace").strip()
    if not key:
        _refuse("the key is empty. Write it as one line")
    if "\n" in key:
        _refuse("the key has several lines. Write the key alone, as one line")
    if key.startswith("{"):
        _refuse("a JSON object came in place of the key. On stdin the key is the first line, and the request follows")
    if not _KEY.fullmatch(key):
        _refuse("the key has white space or other characters in its midst that no key has")
    return key


def _late(awaited: str) -> NoReturn:
    _refuse(
        f"{awaited} has not come within {_PATIENCE_S} seconds. Write the key, and close the descriptor or end the line"
    )


def _refuse(fault: str) -> NoReturn:
    words = f"{OPTION}: {fault}."
    raise InvalidRequest(f"The command line is not valid. {words}", cause=words)
