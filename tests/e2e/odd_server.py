"""An MCP server that does what servers should not, one tool for each; a program, which speaks the protocol by itself.

``odd_server.py FILE`` notes in FILE what it is told besides calls, a JSON value a line.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NOTES = Path(sys.argv[1])
PAGE = 4
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}, "city": {"type": "string"}},
    "required": ["name"],
}
CLOSED = {
    "type": "object",
    "properties": {"city": {"type": "string", "pattern": "^[A-Z]"}, "sort": {"enum": ["up", "down"]}},
    "additionalProperties": False,
}
BYTES = [
    {"type": "text", "text": "See:"},
    {"type": "image", "data": "iVBORw0KGgo=", "mimeType": "image/png"},
    {"type": "resource", "resource": {"uri": "file:///a.bin", "blob": "AAAA", "mimeType": "application/octet-stream"}},
]


def tell(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def hear() -> Iterator[dict[str, Any]]:
    for line in sys.stdin:
        yield json.loads(line)


def note(value: Any) -> None:
    with NOTES.open("a") as notes:
        notes.write(json.dumps(value) + "\n")


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": words}], **more}


def progress(call: dict[str, Any], done: float, words: str | None = None) -> None:
    token = call["params"].get("_meta", {}).get("progressToken")
    if token is not None:
        params = {"progressToken": token, "progress": done, "total": 3, **({"message": words} if words else {})}
        tell({"method": "notifications/progress", "params": params})


def slow(call: dict[str, Any]) -> dict[str, Any]:
    progress(call, 1, "begun")
    for message in hear():
        note(message)  # until stdin ends
    sys.exit(0)


def stepwise(call: dict[str, Any]) -> dict[str, Any]:
    progress(call, 1, "one")
    progress(call, 2)
    return text("stepped")


def chatty(call: dict[str, Any]) -> dict[str, Any]:
    for number in range(3000):
        progress(call, number, f"{number:05}" * 100)
    return text("said a lot")


def dies(call: dict[str, Any]) -> dict[str, Any]:
    progress(call, 1, "begun")
    sys.stderr.write("cannot open the database, password=hunter2-canary\n")
    sys.stderr.flush()
    sys.exit(7)


def asks(call: dict[str, Any]) -> dict[str, Any]:
    prompt = {"messages": [{"role": "user", "content": {"type": "text", "text": "Hi"}}], "maxTokens": 5}
    form = {"message": "Your password?", "requestedSchema": {"type": "object", "properties": {}}}
    questions = {"sampling/createMessage": prompt, "elicitation/create": form, "roots/list": {}}
    answers = {}
    for method, params in questions.items():
        tell({"id": f"q-{method}", "method": method, "params": params})
        answer = next(message for message in hear() if message.get("id") == f"q-{method}")
        answers[method] = "error" in answer
    return text(json.dumps(answers))


def logs(call: dict[str, Any]) -> dict[str, Any]:
    for level in ("info", "error"):
        tell({"method": "notifications/message", "params": {"level": level, "data": f"the disk is {level}\x1b[2J"}})
    return text("logged")


def garbage(call: dict[str, Any]) -> dict[str, Any]:
    for line in ("<html>", "{", "[1, 2]", '{"jsonrpc": "2.0", "id": 99, "result": {}}', "", "\x00\xff"):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    return text("after garbage")


def leaves(call: dict[str, Any]) -> dict[str, Any]:
    child = subprocess.Popen(["sleep", "600"], start_new_session=True, stdin=subprocess.DEVNULL)
    note(child.pid)
    return text(str(child.pid))


def stubborn(call: dict[str, Any]) -> dict[str, Any]:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    progress(call, 1, "begun")
    while True:
        signal.pause()


def parent(call: dict[str, Any]) -> dict[str, Any]:
    try:
        return text(Path(f"/proc/{os.getppid()}/environ").read_text(errors="replace"))
    except OSError:
        return text("unreadable")


def nested(call: dict[str, Any]) -> dict[str, Any]:
    depth = call["params"]["arguments"]["depth"]
    value = '{"a": ' * depth + "1" + "}" * depth
    result = f'{{"content": [], "structuredContent": {value}}}'
    sys.stdout.write(f'{{"jsonrpc": "2.0", "id": {call["id"]}, "result": {result}}}\n')
    sys.stdout.flush()
    return text("late")


TOOLS = {
    "person": (PERSON, lambda call: text(json.dumps(call["params"]["arguments"]))),
    "closed": (CLOSED, lambda call: text("fits")),
    "slow": ({"type": "object"}, slow),
    "stepwise": ({"type": "object"}, stepwise),
    "chatty": ({"type": "object"}, chatty),
    "dies": ({"type": "object"}, dies),
    "asks": ({"type": "object"}, asks),
    "logs": ({"type": "object"}, logs),
    "garbage": ({"type": "object"}, garbage),
    "leaves": ({"type": "object"}, leaves),
    "stubborn": ({"type": "object"}, stubborn),
    "bytes": ({"type": "object"}, lambda call: {"content": BYTES}),
    "huge": ({"type": "object"}, lambda call: text("ä" * 5_000_000, structuredContent={"all": "x" * 200_000})),
    "fails": ({"type": "object"}, lambda call: text("There is no such partner.", isError=True)),
    "senseless": ({"type": "object"}, lambda call: {"content": 5}),
    "environ": ({"type": "object"}, lambda call: text("see", structuredContent=dict(os.environ))),
    "surrogates": ({"type": "object"}, lambda call: text("lone \ud800", structuredContent={"\udfff": "\ud83d\ude00"})),
    "nested": ({"type": "object"}, nested),
    "parent": ({"type": "object"}, parent),
    "unusable": ({"type": "object", "$ref": "https://example.com/schema.json"}, lambda call: text("unchecked")),
}


def listed(params: dict[str, Any]) -> dict[str, Any]:
    start = int(params.get("cursor") or 0)
    names = list(TOOLS)[start : start + PAGE]
    more = {"nextCursor": str(start + PAGE)} if start + PAGE < len(TOOLS) else {}
    return {"tools": [{"name": name, "inputSchema": TOOLS[name][0]} for name in names], **more}


def main() -> None:
    for message in hear():
        method, params = message.get("method"), message.get("params") or {}
        if method == "initialize":
            capabilities = {"tools": {}, "logging": {}}
            info = {"name": "odd", "version": "1"}
            result = {"protocolVersion": params["protocolVersion"], "capabilities": capabilities, "serverInfo": info}
            tell({"id": message["id"], "result": result})
        elif method == "tools/list":
            tell({"id": message["id"], "result": listed(params)})
        elif method == "tools/call" and params["name"] == "broken":
            tell({"id": message["id"], "error": {"code": -32603, "message": "Out of memory"}})
        elif method == "tools/call":
            tell({"id": message["id"], "result": TOOLS[params["name"]][1](message)})
        elif method == "notifications/cancelled":
            note(message)


TOOLS["broken"] = ({"type": "object"}, lambda call: {})
if __name__ == "__main__":
    main()
