"""Who may use a pool: the kernel says who is at the other end."""

import json
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.worker import SCRIPTS
from tests.pool.served import CHAT, ServedPool
from tests.pool.test_full import configured
from tests.waiting import PATIENCE_S, until

Serve = Callable[..., ServedPool]
NOBODY = 65534
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")

_CLIENT = """
import os, socket, sys
os.setgroups([]), os.setgid(int(sys.argv[1])), os.setuid(int(sys.argv[1]))
pool = socket.socket(socket.AF_UNIX)
pool.connect("pool.sock")
pool.sendall(sys.stdin.buffer.read())
sys.stdout.buffer.write(pool.makefile("rb").read())
"""


def as_user(number: int, pool: ServedPool, request: object, **hello: object) -> list[dict[str, Any]]:
    """The lines that the pool writes to another user."""
    pool.home.root.chmod(0o755)
    lines = "\n".join(map(json.dumps, (CHAT | hello, request))) + "\n"
    ran = subprocess.run(
        [SCRIPTS / "python", "-c", _CLIENT, str(number)],
        input=lines.encode(),
        capture_output=True,
        timeout=PATIENCE_S,
        cwd=pool.home.root,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_a_user_who_is_not_on_the_list_is_refused(serve: Serve) -> None:
    pool = serve("--min-idle", "0", "--group", str(NOBODY))
    [error, last] = as_user(NOBODY, pool, {"prompt": "Hi"})
    assert (error["code"], last) == ("policy_denied", {"pool": 1, "exit": 2})
    assert f"uid={NOBODY}" in pool.log
    assert [error["code"] for error in as_user(NOBODY, pool, {}, status=True)[:1]] == ["policy_denied"]


def test_a_user_on_the_list_is_served_and_the_log_names_each(serve: Serve) -> None:
    pool = serve("--min-idle", "1", "--group", str(NOBODY), "--allow-user", "nobody")
    run = as_user(NOBODY, pool, {"prompt": "Hi"})
    assert (run[-2]["type"], run[-1]) == ("done", {"pool": 1, "exit": 0})
    assert pool.run({"prompt": "Hi"}).last["type"] == "done"
    until(lambda: [f"uid={uid} " in pool.log for uid in (NOBODY, 0)] == [True, True], what=lambda: pool.log)


def test_a_pool_may_be_for_some_of_the_users(serve: Serve, tmp_path: Path) -> None:
    text = (
        f'group = "{NOBODY}"\nallow_users = ["{NOBODY}"]\n'
        '[pool.own]\nmin_idle = 0\nallow_users = ["daemon"]\n[pool.all]\nmin_idle = 0\n'
    )
    pool = configured(serve, tmp_path, text)
    refused = as_user(NOBODY, pool, {"prompt": "Hi"}, name="own")[0]
    assert refused["code"] == "policy_denied"
    assert "may use none of the pools own: see their allow_users" in refused["message"]
    unknown = pool.run({"prompt": "Hi"}, name="owm").last
    assert unknown["message"] == "There is no pool called 'owm'; there are own, all."
    assert as_user(NOBODY, pool, {"prompt": "Hi"})[-2]["type"] == "done"
    until(lambda: "pool=all" in pool.log, what=lambda: pool.log)
    assert pool.run({"prompt": "Hi"}, name="own").last["type"] == "done"


def test_the_socket_is_its_groups(serve: Serve) -> None:
    found = serve("--min-idle", "0", "--group", str(NOBODY)).path.stat()
    assert (stat.S_IMODE(found.st_mode), found.st_gid) == (0o660, NOBODY)
