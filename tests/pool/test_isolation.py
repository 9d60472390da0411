"""Nothing of a run is where the next one could find it: no process, no file, no request to the API."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from agent_workers.simulator import Simulator
from tests.e2e.conftest import home_at
from tests.e2e.worker import SCRIPTS, Home
from tests.pool.memory import found_beside, found_in_memory, sockets_of
from tests.pool.served import Client, ServedPool, family_of, members_of
from tests.waiting import PATIENCE_S, until

Serve = Callable[..., ServedPool]
NOBODY = 65534
CANARIES = {name: f"canary{name}7351" for name in ("prompt", "system", "metadata", "owner", "schema", "key")}
OWN = "canaryown7351"
FIRST = {
    "prompt": f"{CANARIES['prompt']} [[scenario:hello]]",
    "system_prompt": CANARIES["system"],
    "metadata": {"x": CANARIES["metadata"]},
    "session_owner": CANARIES["owner"],
    "output_schema": {"type": "object", "properties": {CANARIES["schema"]: {"type": "string"}}},
}
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root looks into processes that hide from others")


def both_idle(pool: ServedPool) -> list[int]:
    return until(lambda: len(found := members_of(pool, "idle")) == 2 and found, what=lambda: (pool.status, pool.log))


def test_a_run_leaves_nothing_that_the_next_one_could_find(serve: Serve, home: Home, simulator: Simulator) -> None:
    pool = serve("--min-idle", "2", "--max-live", "0")
    both_idle(pool)
    first = pool.run(FIRST)
    assert (first.events[0]["warm"], first.last["type"]) == ("warm", "done")
    assert pool.run({"prompt": "Hi"}, credential=CANARIES["key"]).last["type"] == "done"
    texts = [*CANARIES.values(), first.last["session_id"]]
    waiting = both_idle(pool)
    asked = len(simulator.requests("/v1/messages"))
    second = pool.ask({"prompt": f"{OWN} [[scenario:stall-mid-stream]]"})
    second.wait_for("delta")
    [busy] = members_of(pool, "busy")
    assert busy in waiting
    assert found_in_memory(busy, [OWN]) == {OWN}  # so that one knows that it would be found
    for pid in [pool.forkserver, *family_of(busy), *members_of(pool, "idle")]:
        assert (pid, found_in_memory(pid, texts), found_beside(pid, texts)) == (pid, set(), set())
    requests = json.dumps([[record.body, record.headers] for record in simulator.requests("/v1/messages")[asked:]])
    assert [text for text in texts if text in requests] == []
    assert [text for text in texts if text in pool.log + str(pool.status)] == []
    assert found_beside(pool.process.pid, texts) == set()
    second.close()


def test_what_a_run_writes_is_in_no_directory_of_another(serve: Serve, home: Home) -> None:
    pool = serve("--min-idle", "2", "--max-live", "0")
    both_idle(pool)
    first, second = (pool.ask({"prompt": "Go. [[scenario:stall-mid-stream]]"}) for _ in range(2))
    for client in (first, second):
        client.wait_for("delta")
    one, other = (_scratch_of(pid) for pid in members_of(pool, "busy"))
    assert one
    assert other
    assert one.isdisjoint(other)
    first.close()
    second.close()


def _scratch_of(pid: int) -> set[str]:
    """The temporary directories of a worker's agent."""
    found = set()
    for each in family_of(pid)[1:]:
        environ = Path(f"/proc/{each}/environ").read_bytes().split(b"\0")
        found |= {entry.decode() for entry in environ if re.match(b"TMPDIR=.*/agent-worker-", entry)}
    return found


def test_a_worker_has_the_connection_of_its_client_and_that_to_the_pool_alone(serve: Serve) -> None:
    pool = serve("--min-idle", "2", "--max-live", "0")
    both_idle(pool)
    clients: list[Client] = [pool.ask({"prompt": "Go. [[scenario:stall-mid-stream]]"}) for _ in range(2)]
    for client in clients:
        client.wait_for("delta")
    idle = both_idle(pool)
    held = {pid: sockets_of(pid) for pid in [pool.process.pid, pool.forkserver, *members_of(pool, "busy"), *idle]}
    for pid, sockets in held.items():
        for other, others in held.items():
            assert pid == other or not sockets & others, (pid, other)
    assert [len(held[pid]) for pid in idle] == [1, 1]
    for client in clients:
        client.close()


_ATTEMPTS = """
import sys
for pid in sys.argv[1:]:
    for name in ("environ", "mem", "maps", "fd"):
        try:
            path = f"/proc/{pid}/{name}"
            __import__("os").listdir(path) if name == "fd" else open(path, "rb").read(1)
        except OSError as error:
            print(type(error).__name__)
        else:
            print(pid, name)
"""


@pytest.fixture
def unprivileged(simulator: Simulator) -> Iterator[ServedPool]:
    """A pool of a user who is not root."""
    as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    tried = subprocess.run(
        [SCRIPTS / "python", "-c", "import agent_workers.cli.umbrella"], check=False, timeout=PATIENCE_S, **as_nobody
    )
    if tried.returncode:
        pytest.skip("the installation is not readable for other users")
    with TemporaryDirectory() as folder, home_at(Path(folder), simulator) as home:
        for path in (home.root, *home.root.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        pool = ServedPool(home, "--min-idle", "1", process=as_nobody)
        try:
            yield pool
        finally:
            pool.stop()


def test_a_command_of_an_agent_reads_no_environment_and_no_memory_of_the_pool(unprivileged: ServedPool) -> None:
    until(lambda: members_of(unprivileged, "idle"), what=lambda: unprivileged.log)
    client = unprivileged.ask({"prompt": "Go. [[scenario:stall-mid-stream]]"})
    client.wait_for("delta")
    workers = members_of(unprivileged, "busy") + until(lambda: members_of(unprivileged, "idle"))
    pids = [unprivileged.process.pid, unprivileged.forkserver, *workers]
    tried = subprocess.run(
        [sys.executable, "-c", _ATTEMPTS, *map(str, pids)],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
        cwd="/",
    )
    assert tried.stdout.split("\n")[:-1] == ["PermissionError"] * (4 * len(pids))
    client.close()
