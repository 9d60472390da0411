"""A worker that is `agent-chat`, run by the Python client: what goes through it keeps the contract, too."""

import json
import os
import signal
import sys
import threading
from typing import Any

from agent_workers.client import ProcessRunner, Run


def main() -> None:
    control = "--control" in sys.argv
    request = json.loads(sys.stdin.readline() if control else sys.stdin.read())
    with ProcessRunner("agent-chat").stream(request) as run:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: run.stop())
        if control:
            threading.Thread(target=pass_on, args=[run], daemon=True).start()
        for event in run:
            tell(event)
    os._exit(run.exit_status or 0)  # a thread may still read


def pass_on(run: Run) -> None:
    for line in sys.stdin:
        run.send(json.loads(line))


def tell(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
