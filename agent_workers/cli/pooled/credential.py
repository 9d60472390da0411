"""The run's own key for the API, which a pool is told."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

from agent_workers.chain import is_on
from agent_workers.ending import failed
from agent_workers.engine.process.prctl import hide_from_others
from agent_workers.stdio.credential import DescriptorCredential
from agent_workers.wire import Encoder

if TYPE_CHECKING:
    from agent_workers.cli.pooled.request import Request
    from agent_workers.cli.pooled.show import Show
    from agent_workers.errors import WorkerError


def read_credential(descriptor: int, request: Request) -> str:
    """Reads the key.

    Raises:
        InvalidRequest: There is none.
        Stopped: A stop signal has come.
        OSError: Stdin cannot be read.
    """
    hide_from_others()  # before it is in this process's memory
    return DescriptorCredential(descriptor)(request)


def tell(error: WorkerError, show: Show) -> int:
    """Has the error shown as the run's only event; returns the exit status."""
    show.tell(f"{error.code}: {error.cause or error.message}")
    for line in Encoder(str(uuid.uuid4()), chained=is_on(os.environ)).lines(failed(error).to_wire()):
        show.take(line)
    return error.exit_status
