"""From a worker's line to the client's socket, through php-fpm and nginx: the bridge beside a bare loop in PHP.

    python -m tests.bench.php_latency

Bare is `while (($line = fgets($out)) !== false) { echo …; flush(); }`: what one would write by hand, and the least that
PHP can do.
"""

import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.laravel.site import REPOSITORY, Site
from tests.laravel.visitor import Visitor

ROUNDS = 5
DELTAS = 200
PAUSE_S = 0.01
AIM_MS = 1.0
# Says when it wrote each line. It ends when its reader does.
_WORKER = f"""#!{{python}}
import json, os, sys, time
run = json.loads(sys.stdin.readline()).get("run", "r")
seq = 0
def say(kind, **more):
    global seq
    seq += 1
    event = {{"v": 1, "seq": seq, "run": run, "ts": "2026-01-01T00:00:00.000Z", "type": kind, **more}}
    os.write(1, json.dumps(event).encode() + b"\\n")
say("start", worker="w", worker_version="0", sdk_version="0", simulated=True)
for _ in range({DELTAS}):
    time.sleep({PAUSE_S})
    say("delta", block=1, text=str(time.time_ns()))
say("done", stop_reason="end_turn", text="", session_id="s", usage={{}}, duration_ms=1, turns=1)
"""
_BARE = """<?php
header('Content-Type: text/event-stream');
header('X-Accel-Buffering: no');
while (ob_get_level()) { ob_end_clean(); }
$process = proc_open([getenv('AGENT_CHAT_BINARY')], [['pipe', 'r'], ['pipe', 'w']], $pipes);
fwrite($pipes[0], "{}\\n");
while (($line = fgets($pipes[1])) !== false) { echo "data: $line\\n"; flush(); }
"""
_BARE_LOCATION = """location = /bare.php {
    include /etc/nginx/fastcgi_params;
    fastcgi_param SCRIPT_FILENAME $document_root/bare.php;
    fastcgi_pass $php_pool;
}
"""
_TIME = re.compile(rb'"text": ?"(\d{19})"')


class BenchedSite(Site):
    """A site whose worker says when it wrote each line, with the bare loop as a second page."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, "http://127.0.0.1:9")
        worker = root / "paced-worker"
        worker.write_text(_WORKER.replace("{python}", shutil.which("python3", path="/usr/bin:/bin") or sys.executable))
        worker.chmod(0o755)
        (self.app / "public/bare.php").write_text(_BARE)
        self.environ["AGENT_CHAT_BINARY"] = str(worker)

    def _nginx_conf(self) -> str:
        return super()._nginx_conf().replace("location / {", _BARE_LOCATION + "location / {")


def latencies(port: int, request: bytes) -> list[float]:
    """Milliseconds from each write of the worker to the read of it here."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(request)
        return [
            (arrived - int(found)) / 1e6 for arrived, chunk in _chunks(connection) for found in _TIME.findall(chunk)
        ]


def _chunks(connection: socket.socket) -> Iterator[tuple[int, bytes]]:
    rest = b""
    while data := connection.recv(65536):
        arrived = time.time_ns()
        whole, newline, rest = (rest + data).rpartition(b"\n")
        yield arrived, whole + newline


def requests(port: int) -> dict[str, bytes]:
    visitor = Visitor(port)
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.http.cookies.items())
    body = b'{"prompt":"Hello"}'
    head = f"HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nCookie: {cookies}\r\nX-CSRF-TOKEN: {visitor.token}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    visitor.http.close()
    return {"bare": b"GET /bare.php " + head.encode() + body, "bridge": b"POST /agent/chat " + head.encode() + body}


@contextmanager
def benched_site() -> Iterator[BenchedSite]:
    subprocess.run([REPOSITORY / "examples/laravel/setup.sh"], check=True)
    root = Path(tempfile.mkdtemp(prefix="bench-"))
    root.chmod(0o755)
    site = BenchedSite(root)
    try:
        site.start()
        yield site
    finally:
        site.stop()
        shutil.rmtree(root)


def main() -> None:
    """Measures both in turns and prints what came of it."""
    taken: dict[str, list[float]] = {"bare": [], "bridge": []}
    with benched_site() as site:
        for _ in range(ROUNDS):
            for name, request in requests(site.port).items():
                taken[name] += latencies(site.port, request)
    medians = {}
    for name, values in taken.items():
        assert len(values) == ROUNDS * DELTAS, f"{name}: {len(values)} deltas"
        percentiles = statistics.quantiles(values, n=100)
        medians[name] = statistics.median(values)
        print(f"{name:7} p50 {medians[name]:6.2f} ms   p99 {percentiles[98]:6.2f} ms   ({len(values)} deltas)")
    print(f"ratio   p50 {medians['bridge'] / medians['bare']:6.2f}      aim: the bridge's p50 within {AIM_MS} ms")


if __name__ == "__main__":
    main()
