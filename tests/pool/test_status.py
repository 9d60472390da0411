"""What an operator is told of a pool that runs."""

import io
import json
import re
import signal
import socket
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rich.console import Console

from agent_workers.cli.pool_table import rendered
from agent_workers.pool.inquiry import NoStatus, ask_status
from tests.cli.conftest import Scripts
from tests.pool.served import ServedPool
from tests.waiting import PATIENCE_S, until

PAGE = (Path(__file__).parents[2] / "docs/pool.md").read_text("utf-8")


@pytest.fixture(scope="module")
def served(shared: ServedPool) -> ServedPool:
    """A pool that has served a run of each kind that it can without keeping agents."""
    shared.wait_for("idle", 1)
    shared.run({"prompt": "Hi"})
    shared.run({"prompt": "Hi", "model": "claude-x"})
    until(lambda: len(shared.status["pools"]["default"]["first_delta"]) == 2)
    shared.wait_for("idle", 1)
    return shared


def told(pool: ServedPool, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    scripts = Scripts(pool.home.root)
    return scripts("agent-workers", "pool", "status", *options, env={"AGENT_WORKERS_POOL": str(pool.path)} | variables)


def rows(text: str) -> dict[str, list[str]]:
    """The lines of a table by their first word."""
    return {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.strip()}


def test_the_page_says_what_each_field_of_the_status_means(served: ServedPool) -> None:
    _, _, behind = PAGE.partition("### The status\n")
    whole, _, of_pool = behind.partition("\n##")[0].partition("Of each pool:")
    status = served.status
    pool = status["pools"]["default"]
    for text, fields in ((whole, status), (of_pool, pool)):
        listed = [
            cell for row in re.findall(r"^\|([^|]+)\|", text, re.MULTILINE) for cell in re.findall("`(.+?)`", row)
        ]
        assert sorted(listed) == sorted(fields)
    for name in [*pool["first_delta"]["warm"], *pool["processes"][0]]:
        assert f"`{name}`" in of_pool


def test_a_person_sees_a_row_for_each_pool_with_what_served_and_how_soon(served: ServedPool) -> None:
    ended = told(served)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "\x1b" not in ended.stdout
    seen = rows(ended.stdout)
    idle, busy, live, most, *_ = seen["default"]
    assert (idle, busy, live, most) == ("1/1", "0", "0/0", "16")
    assert seen["default"][-4:] == ["1", "0", "1", "0"]
    assert "default: runs were cold by model 1" in ended.stdout
    assert re.search(r"^ +\d+ ms +\d+ ms$", ended.stdout, re.MULTILINE)


@pytest.mark.parametrize("columns", [80, 40])
def test_a_narrow_terminal_has_the_same_below_each_other_and_processes_are_told_on_request(
    served: ServedPool, columns: int
) -> None:
    [process] = served.status["pools"]["default"]["processes"]
    command = ("agent-workers", "pool", "status", "--processes", "--socket", served.path)
    terminal, status = Scripts(served.home.root).at_terminal(*command, columns=columns, rows=60)
    lines = terminal.text.splitlines()
    assert status == 0
    assert any(re.match("default +1/1" if columns == 80 else "idle +1/1", line) for line in lines), lines
    assert any(line.split()[:2] == [str(process["pid"]), "idle"] for line in lines), lines


def test_a_long_name_of_a_pool_gives_way_to_what_is_told_of_its_processes(served: ServedPool) -> None:
    status = served.status
    run = "2f655928-101f-4806-9d48-a2ce1e03b0a7"
    process = {"pid": 123456, "state": "live", "for_s": 22.5, "memory": 118 << 20, "run": run, "uid": 0}
    named = {"a-name-of-thirty-two-characters-" * 2: status["pools"]["default"] | {"processes": [process]}}
    output = io.StringIO()
    console = Console(file=output, width=80)
    console.print(rendered(console, status | {"pools": named}, processes=True))
    assert "123456  live   22 s  118 MiB  a-name" in output.getvalue()
    assert run in output.getvalue()


def test_as_json_it_is_the_line_that_the_pool_answers_with(served: ServedPool) -> None:
    ended = told(served, "--json")
    assert ended.stdout.count("\n") == 1
    found, asked = json.loads(ended.stdout), served.status
    assert found.keys() == asked.keys()
    assert found["pools"]["default"]["served"] == {"warm": 1, "cold": 1} == asked["pools"]["default"]["served"]


def test_the_socket_may_stand_before_the_command_and_other_options_of_the_server_may_not(served: ServedPool) -> None:
    scripts = Scripts(served.home.root)
    assert scripts("agent-workers", "pool", "--socket", served.path, "status", "--json").returncode == 0
    refused = scripts("agent-workers", "pool", "--min-idle", "3", "--socket", served.path, "status")
    assert (refused.returncode, "only --socket is for it" in refused.stderr) == (2, True)
    unnamed = scripts("agent-workers", "pool", "status")
    assert "name the pool's socket: --socket PATH, or AGENT_WORKERS_POOL" in unnamed.stderr


def test_it_goes_on_until_it_is_interrupted_or_the_pool_ends(serve: Callable[..., ServedPool]) -> None:
    pool = serve("--min-idle", "0")
    scripts = Scripts(pool.home.root)
    command = ("agent-workers", "pool", "status", "--watch", "--json", "--socket", pool.path)
    with scripts.running(*command) as watching, scripts.running(*command) as interrupted:
        for process in (watching, interrupted):
            assert process.stdout
            assert all(json.loads(process.stdout.readline())["pid"] == pool.process.pid for _ in range(2))
        interrupted.send_signal(signal.SIGINT)
        assert interrupted.wait(PATIENCE_S) == 0
        pool.stop()
        assert watching.stderr
        assert b"no pool at" in watching.stderr.read()
        assert watching.wait(PATIENCE_S) == 1


def test_new_settings_with_a_fault_are_told_until_they_are_mended(serve: Callable[..., ServedPool]) -> None:
    home = serve("--min-idle", "0").home
    config = home.root / "pool.toml"
    config.write_text("[pool.default]\nmin_idle = 0\n", "utf-8")
    pool = serve("--socket", str(home.root / "two.sock"), "--config", str(config))
    pool.path = home.root / "two.sock"
    for text, fault in (("[pool.default]\nmin_idel = 0\n", "min_idel"), ("[pool.default]\nmin_idle = 0\n", "")):
        config.write_text(text, "utf-8")
        pool.signal(signal.SIGHUP)
        until(lambda fault=fault: fault in (pool.status["fault"] or "") and bool(pool.status["fault"]) == bool(fault))
        assert ("as they were, for the new ones have a fault" in told(pool).stdout) == bool(fault)


def listening(path: Path) -> socket.socket:
    end = socket.socket(socket.AF_UNIX)
    end.bind(str(path))
    end.listen()
    return end


def test_where_no_pool_answers_one_line_says_what_is_there(tmp_path: Path) -> None:
    scripts = Scripts(tmp_path)
    (tmp_path / "file").touch()
    listening(tmp_path / "ended").close()
    for name, words in {
        "gone": "nothing is there",
        "file": "that is no socket",
        "ended": "nobody listens there: the pool has ended",
        "x" * 120: "AF_UNIX path too long",
    }.items():
        path = tmp_path / name
        ended = scripts("agent-workers", "pool", "status", "--socket", path)
        assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", f"Error: no pool at {path}: {words}\n")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (None, "silent"),
        (b"", "no_pool"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no_pool"),
        (b'{"pool": 1, "exit": 0}\n', "no_pool"),
        (b'{"type": "error", "code": "policy_denied", "message": "Not you."}\n{"pool": 1, "exit": 2}\n', "not_served"),
    ],
)
def test_what_answers_and_is_no_pool_is_told(answer: bytes | None, why: str, tmp_path: Path) -> None:
    with listening(tmp_path / "socket") as end:

        def ask() -> str:
            with pytest.raises(NoStatus) as found:
                ask_status(tmp_path / "socket", patience_s=0.2 if answer is None else PATIENCE_S)
            return found.value.why

        with ThreadPoolExecutor(1) as threads:
            asking = threads.submit(ask)
            client, _ = end.accept()
            with client:
                if answer is not None:
                    client.sendall(answer)
                    client.shutdown(socket.SHUT_WR)
                assert asking.result(PATIENCE_S) == why
