"""How an operator starts a pool."""

import socket
import subprocess
from collections.abc import Callable

import pytest

from tests.e2e.worker import SCRIPTS, Home, script
from tests.pool.served import ServedPool
from tests.waiting import PATIENCE_S, until


def start_another(pool: ServedPool, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs ``agent-workers pool`` in the directory of a pool that serves."""
    command = [str(SCRIPTS / "agent-workers"), "pool", *options]
    env = pool.home.environ | variables
    return subprocess.run(
        command, env=env, cwd=pool.home.root, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def test_a_second_pool_at_a_relative_path_of_the_same_socket_is_refused_and_the_first_serves_on(
    shared: ServedPool,
) -> None:
    refused = start_another(shared, "--socket", shared.path.name)
    assert refused.returncode == 1
    told = f"Error: {shared.path}: another pool serves there: stop it first, or choose another path\n"
    assert refused.stderr.endswith(told)
    assert shared.run({"prompt": "Hello"}).status == 0


def test_one_that_is_too_busy_to_answer_is_another_pool_too(shared: ServedPool) -> None:
    path = shared.home.root / "busy.sock"
    with socket.socket(socket.AF_UNIX) as busy:
        busy.bind(str(path))
        busy.listen(0)
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(4)]
        for end in waiting:
            end.setblocking(False)
            end.connect_ex(str(path))
        refused = start_another(shared, "--socket", str(path))
        for end in waiting:
            end.close()
    assert "another pool serves there" in refused.stderr
    assert path.exists()


def test_a_level_of_the_log_that_does_not_exist_is_told(shared: ServedPool) -> None:
    refused = start_another(shared, "--socket", str(shared.path), AGENT_WORKERS_LOG="verbose")
    assert "AGENT_WORKERS_LOG is 'verbose': must be error, warning, info or debug; info is used" in refused.stderr


@pytest.mark.parametrize("end", ["exit 3", "sleep 0.5; exit 3", "kill -9 $$"])
def test_agents_that_end_at_once_are_not_started_again_at_once_and_the_pool_says_why(
    serve: Callable[..., ServedPool], home: Home, end: str
) -> None:
    cli = script(home.root / "cli", end)
    pool = serve("--min-idle", "1", env={"AGENT_WORKERS_CLI": str(cli)})

    def waits_and_says_why() -> bool:
        told = pool.status["pools"]["default"]
        return bool(told["fault"]) and not told["processes"]

    until(waits_and_says_why, what=lambda: pool.log)
    fault = pool.status["pools"]["default"]["fault"]
    assert fault.startswith("cli_crashed: the CLI ended with status ")
    assert fault in pool.log
    assert pool.run({"prompt": "Hello"}).ending == ("cli_crashed", 75)


def test_a_pool_without_a_key_says_so_when_it_starts(home: Home) -> None:
    del home.environ["ANTHROPIC_API_KEY"]
    pool = ServedPool(home, "--min-idle", "0")
    try:
        assert "credential: none" in pool.log
        assert "Set ANTHROPIC_API_KEY" in pool.log
    finally:
        pool.stop()
