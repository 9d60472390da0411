"""A worker that starts quickly and does as the prompt says; it speaks the contract as any other does.

    python scripted.py FOLDER

``play NAME`` writes a recorded run of the folder as it is. ``echo`` answers with its request. ``ask`` asks for a
permission, ``question`` asks a question, and each says what it was told. ``hold`` says one word, and each word it is
told. ``many COUNT BYTES`` says a lot. All but the first end when they are aborted.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FAR = "2099-01-01T00:00:00.000Z"


class Teller:
    """Writes the events of one run."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.request = request
        self._seq = 0

    def tell(self, kind: str, **fields: Any) -> None:
        self._seq += 1
        ts = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        event = {"v": 1, "seq": self._seq, "run": self.request["run"], "ts": ts, "type": kind, **fields}
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()

    def start(self) -> None:
        self.tell("start", worker="agent-chat", worker_version="0", sdk_version="0", simulated=True)
        session = self.request.get("session") or {}
        name = session.get("id") or session.get("resume") or "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d34"
        about = {"model": "none", "cli_version": "0", "tools": []}
        self.tell("session", session_id=name, resumed="resume" in session, **about)

    def say(self, text: str) -> None:
        self.tell("delta", text=text, block=1)

    def done(self, **more: Any) -> None:
        usage = {"input_tokens": 1, "output_tokens": 1}
        end = {"stop_reason": "end_turn", "text": "", "session_id": "s", "usage": usage, "duration_ms": 1, "turns": 0}
        self.tell("done", **end, **more)


def said(teller: Teller) -> Any:
    """Yields what the run is told, up to an abort, which ends it."""
    for line in sys.stdin:
        message = json.loads(line)
        teller.tell("ack", id=message["id"], ok=True)
        if message["type"] == "abort":
            break
        yield message
    teller.tell("aborted", reason="client")
    sys.exit(3)


def main() -> None:
    request = json.loads(sys.stdin.readline())
    words = str(request.get("prompt") or request.get("input", {}).get("do", "echo")).split()
    if words[0] == "play":
        sys.stdout.write(Path(sys.argv[1], f"{words[1]}.ndjson").read_text("ascii"))
        return
    teller = Teller(request)
    teller.start()
    if words[0] == "ask":
        call = {"tool_use_id": "toolu_1", "name": "Bash", "input": {"command": "rm -r /"}}
        teller.tell("permission_request", permission_id="p-1", **call, expires_at=FAR)
        answer = next(said(teller))
        teller.tell("permission_resolved", permission_id="p-1", behavior=answer["behavior"], by="client")
        teller.say(json.dumps(answer))
    elif words[0] == "question":
        items = [{"question": "Which city?", "header": "City", "options": [], "multi": False}]
        teller.tell("question", question_id="q-1", tool_use_id="toolu_2", questions=items, expires_at=FAR)
        teller.say(json.dumps(next(said(teller))))
    elif words[0] == "hold":
        teller.say("held")
        for message in said(teller):
            teller.tell("steered", id=message["id"])
            teller.say(message["text"])
    elif words[0] == "many":
        for number in range(int(words[1])):
            teller.say(f"{number:08d}".ljust(int(words[2]), "x"))
    elif words[0] == "fail":
        teller.tell("error", code="overloaded", message="The API is overloaded.", retryable=True, retry_after_ms=1500)
        return
    teller.done(output=request, needs_review=False)


if __name__ == "__main__":
    main()
