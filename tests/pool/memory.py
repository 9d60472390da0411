"""What can be found of a text in a process: its memory, its environment, its command line, its open files."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_MAP = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) rw", re.MULTILINE)
_CHUNK = 1 << 20
_PAGE = os.sysconf("SC_PAGE_SIZE")
_THERE = 0x40  # of the highest byte of a page's entry: it is in memory, or swapped


def memory_of(pid: int) -> Iterator[bytes]:
    """Yields what a process has written in its memory, in pieces; nothing of one that has ended."""
    process = Path(f"/proc/{pid}")
    with (
        suppress(OSError),
        (process / "mem").open("rb", buffering=0) as memory,
        (process / "pagemap").open("rb", buffering=0) as pages,
    ):
        for begin, end in _MAP.findall((process / "maps").read_text("utf-8")):
            last = int(end, 16)
            for place in range(int(begin, 16), last, _CHUNK):
                size = min(_CHUNK, last - place)
                pages.seek(place // _PAGE * 8)
                if max(pages.read(size // _PAGE * 8)[7::8], default=0) >= _THERE:
                    memory.seek(place)
                    yield memory.read(size)


def found_in_memory(pid: int, texts: list[str]) -> set[str]:
    """Which of the texts the memory holds, as UTF-8 or as a program holds text that is not Latin."""
    found: set[str] = set()
    for piece in memory_of(pid):
        found |= {text for text in texts if text.encode() in piece or text.encode("utf-16-le") in piece}
    return found


def found_beside(pid: int, texts: list[str]) -> set[str]:
    """Which of the texts stand in the environment, the command line or a file that is open, or in its name."""
    process = Path(f"/proc/{pid}")
    told: list[bytes] = []
    with suppress(OSError):  # it has ended
        told += [(process / name).read_bytes() for name in ("environ", "cmdline")]
    for descriptor in _descriptors_of(pid):
        with suppress(OSError):
            told.append(os.fsencode(descriptor.readlink()))
            if descriptor.is_file():  # a file, also one in memory
                told.append(descriptor.read_bytes())
    return {text for text in texts if any(text.encode() in each for each in told)}


def sockets_of(pid: int) -> set[str]:
    """The sockets that a process has open, as the kernel numbers them."""
    names = set()
    for descriptor in _descriptors_of(pid):
        with suppress(OSError):
            names.add(str(descriptor.readlink()))
    return {name for name in names if name.startswith("socket:")}


def _descriptors_of(pid: int) -> list[Path]:
    with suppress(OSError):
        return list(Path(f"/proc/{pid}/fd").iterdir())
    return []
