"""The process of ``forked.py``: imports the reference worker and all that are broken, then forks for each request."""

import gc
import os
import signal
import socket
import sys
from pathlib import Path
from pkgutil import resolve_name
from typing import Any


def _load(root: str) -> dict[str, Any]:
    sys.path[0] = root
    package = "tests.conformance"
    names = [path.stem for path in Path(root, "tests/conformance/broken").glob("[!_]*.py")]
    workers = {name: resolve_name(f"{package}.broken.{name}:Broken") for name in names}
    return {**workers, "reference": resolve_name(f"{package}.traced:Traced")}


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    workers = _load(sys.argv[2])
    from tests.e2e.loader import await_start

    gc.disable()
    gc.freeze()  # what is forked shares its memory
    request = await_start(socket.socket(fileno=int(sys.argv[1])))
    os.setsid()
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv[:] = request["command"]
    workers[request["command"][0]]().main()
