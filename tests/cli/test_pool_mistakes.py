"""What an operator is told of a pool that cannot be started: the place, and the cure."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import SCRIPTS, Scripts
from tests.reach import let_others_into
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("loaded")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("", "name the socket: --socket PATH, or socket in the file of --config"),
        ("--max 1 --min-idle 5", "the pool needs a max of at least 5, its min_idle, and has 1"),
        ("--max-memory 4X", "--max-memory must be a number of bytes, such as 512M or 4G"),
        ("--min-idle -1", "'--min-idle': -1 is not in the range 0<=x<=10000"),
        ("--min-idel 1", "No such option '--min-idel'. (Did you mean"),
        ("statsu", "No such command 'statsu'."),
        ("--config gone.toml", "gone.toml: no such file"),
        ("--socket /nowhere/pool.sock", "/nowhere/pool.sock: there is no directory /nowhere: make it"),
        ("--socket /etc/passwd", "/etc/passwd: something is there that is no socket"),
        (f"--socket /{'x' * 120}", "the path has 121 bytes, and a socket's has at most 107: choose a shorter one"),
        ("--socket pool.sock --group no-such", "group: there is no group called 'no-such'"),
        ("--socket pool.sock --allow-user no-such", "allow_users: there is no user called 'no-such'"),
    ],
)
def test_an_option_that_cannot_be_is_told_with_its_name(
    options: str, told: str, scripts: Scripts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = scripts("agent-workers", "pool", *options.split())
    assert refused.returncode in {1, 2}
    last = refused.stderr.splitlines()[-1]
    assert last.startswith("Error: ")
    assert told in last
    assert "Traceback" not in refused.stderr
    assert list(tmp_path.glob("*.sock")) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("max = 9\n[pool.default]\nmin_idel = 5\n", "line 3: pool.default.min_idel is not a known field; did you mean"),
        ("[pool.a]\nmin_idle = 5\nmax = 1\n", "line 1: pool.a needs a max of at least 5, its min_idle, and has 1"),
        (
            "max = 3\n[pool.a]\nmin_idle = 2\n[pool.b]\nmin_idle = 2\n",
            "the file needs a max of at least 4, the min_idle of its pools together, and has 3",
        ),
        ('socket = "pool.sock"\n', "line 1: socket must"),
        ("[pool.default\n", "is not valid TOML"),
    ],
)
def test_a_fault_of_the_file_is_told_with_its_line_and_key(
    text: str, told: str, scripts: Scripts, tmp_path: Path
) -> None:
    file = tmp_path / "pool.toml"
    file.write_text(text, "utf-8")
    refused = scripts("agent-workers", "pool", "--config", file)
    assert refused.returncode == 1
    assert f"Error: {file}: " in refused.stderr
    assert told in refused.stderr


def test_options_that_are_of_a_pool_which_the_file_does_not_have_are_refused(scripts: Scripts, tmp_path: Path) -> None:
    file = tmp_path / "pool.toml"
    file.write_text("[pool.chat]\n", "utf-8")
    refused = scripts("agent-workers", "pool", "--config", file, "--min-idle", "3")
    assert "min_idle: these are of the pool called default, and the file has none" in refused.stderr


def test_a_directory_that_is_not_the_users_is_told_with_its_cure(tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("becomes another user: needs root and setpriv")
    code = (
        "from pathlib import Path; from agent_workers.pool.listening import open_socket; import os; os.setgroups([])\n"
        f"os.setgid(65534); os.setuid(65534); open_socket(Path({str(tmp_path / 'pool.sock')!r}), None)"
    )
    let_others_into(tmp_path)
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=False, cwd=SCRIPTS
    )
    told = f"this user may not write to the directory {tmp_path}: have it owned by the pool's user"
    assert told in ended.stderr.splitlines()[-1]
