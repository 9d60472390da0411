"""What is said where another package has taken the place of this one. Imports nothing of it: it may be gone."""

from __future__ import annotations

import json
import os
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

_MESSAGE = "The worker's installation is damaged. The operator must install it again; its stderr says how."
_CAUSE = """\
{program}: another package has taken the place of this one: {place}
"agent-workers" on PyPI is somebody else's. Remove both, and install this one from its clone:
  {python} -m pip uninstall agent-workers claude-agent-workers
  {python} -m pip install PATH/OF/THE/CLONE
"""


def refuse(place: str | None) -> NoReturn:
    """Ends the process: stderr tells the cause, and a worker's reader gets its terminal event.

    Args:
        place: The file that stands where this package's own should.
    """
    # ``bin/launcher`` names the program by its first argument.
    program = sys.argv[1] if Path(sys.argv[0]).name == "agent-workers-entry" else Path(sys.argv[0]).name
    sys.stderr.write(_CAUSE.format(program=program, place=place, python=sys.executable))
    if program != "agent-workers":
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        head = {"v": 1, "seq": 1, "run": str(uuid.uuid4()), "ts": now}
        event = {**head, "type": "error", "code": "internal", "message": _MESSAGE, "retryable": False}
        os.write(1, json.dumps(event, separators=(",", ":")).encode() + b"\n")
    sys.exit(1)
