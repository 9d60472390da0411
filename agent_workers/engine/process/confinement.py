"""Landlock (landlock(7)) on Linux: keeps a task's processes away from the processes of other runs.

They can neither read another process through ``/proc/PID/environ``, ``fd`` or ``mem`` nor signal it. Only root's can
still read an ``environ``, which the kernel allows by capability. The file system is not restricted here. Kernels before
6.12 lack the scope that this needs; there, and on other systems, it does nothing.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from contextlib import suppress

_CREATE_RULESET, _RESTRICT_SELF = 444, 446  # the same numbers on all architectures, <asm-generic/unistd.h>
_VERSION = 1  # flag LANDLOCK_CREATE_RULESET_VERSION
_WITH_SCOPES = 6  # the version of the interface that has them
_SCOPE_SIGNAL = 2
_PR_SET_NO_NEW_PRIVS = 38  # <linux/prctl.h>; without it only a privileged process may restrict itself

_LIBRARY = ctypes.CDLL(None) if sys.platform == "linux" else None


def confine() -> None:
    """Confines this process and all that it will start, for good; does nothing where the kernel cannot."""
    if _LIBRARY is None or _LIBRARY.syscall(_CREATE_RULESET, None, 0, _VERSION) < _WITH_SCOPES:
        return
    attributes = struct.pack("=QQQ", 0, 0, _SCOPE_SIGNAL)  # struct landlock_ruleset_attr: files, network, scopes
    ruleset = _LIBRARY.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if _LIBRARY.syscall(_RESTRICT_SELF, ruleset, 0):
        _LIBRARY.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _LIBRARY.syscall(_RESTRICT_SELF, ruleset, 0)
    with suppress(OSError):
        os.close(ruleset)
