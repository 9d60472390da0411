"""The program of the process that the pool's workers are forked from; the pool starts it."""

import socket
import sys
from typing import NoReturn

from agent_workers.cli.worker import prepare_process


def start() -> NoReturn:
    """Serves the pool at the other end of the descriptor that the first argument names."""
    prepare_process()
    from agent_workers.stdio.ahead.forkserver import prepare, serve  # after the process is prepared

    prepare()
    serve(socket.socket(fileno=int(sys.argv[1])))
