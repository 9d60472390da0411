"""Tells the service manager how far a service is: the protocol of sd_notify(3)."""

import os
import socket
import time
from contextlib import suppress


def notify_reload() -> None:
    """Tells that the settings are read anew, as ``Type=notify-reload`` of systemd.service(5) has it."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def notify(*assignments: str) -> None:
    """Sends states such as ``READY=1``; does nothing where no service manager asked for them."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = f"\0{address[1:]}"
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.sendto("\n".join(assignments).encode(), address)


def watchdog_s() -> float | None:
    """Returns how many seconds may pass between two ``WATCHDOG=1``; None where the service manager wants none."""
    interval = os.environ.get("WATCHDOG_USEC", "")
    process = os.environ.get("WATCHDOG_PID") or str(os.getpid())
    if not interval.isdigit() or int(interval) == 0 or process != str(os.getpid()):
        return None
    return int(interval) / 1_000_000
