"""A pool that is full: who comes first is served first, what only waits gives way, and nobody waits for ever."""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.pool.served import Client, ServedPool, kill, members_of
from tests.pool.test_live import then
from tests.waiting import PATIENCE_S, until

Serve = Callable[..., ServedPool]
STALLED = {"prompt": "Go. [[scenario:stall-mid-stream]]"}


def configured(serve: Serve, folder: Path, text: str) -> ServedPool:
    """A pool with these settings."""
    path = folder / "pool.toml"
    path.write_text(text, "utf-8")
    return serve("--config", str(path))


def begun(pool: ServedPool, **fields: object) -> Client:
    """A run that goes on until it is aborted."""
    client = pool.ask(STALLED | fields)
    client.wait_for("delta")
    return client


def abort(*clients: Client) -> None:
    for client in clients:
        client.send({"type": "abort", "id": "a"})
        assert client.end().last["type"] == "aborted"


def test_who_comes_first_is_served_first(serve: Serve, tmp_path: Path) -> None:
    pool = configured(serve, tmp_path, "queue_s = 600\n[pool.default]\nmax = 2\nmin_idle = 1\n")
    running = [begun(pool), begun(pool)]
    waiting = []
    for number in range(4):
        waiting.append(pool.ask({"prompt": f"Number {number}"}))
        pool.wait_for("waiting", number + 1)
    began = []

    def follow(number: int) -> str:
        waiting[number].wait_for("start")
        began.append(number)
        return str(waiting[number].end().last["type"])

    with ThreadPoolExecutor(4) as threads:
        ended = [threads.submit(follow, number) for number in range(4)]
        abort(running[0])
        assert [each.result(PATIENCE_S) for each in ended] == ["done"] * 4
    assert began == [0, 1, 2, 3]
    abort(running[1])


def test_agents_that_only_wait_give_way_to_requests_for_others(serve: Serve) -> None:
    pool = serve("--max", "2", "--min-idle", "1")
    pool.wait_for("idle", 1)
    first = pool.run({"prompt": "Hi. [[scenario:memory]]"})
    pool.wait_for("live", 1)
    pool.wait_for("idle", 1)
    clients = [begun(pool, max_turns=3) for _ in range(2)]
    assert (pool.number("busy"), pool.status["processes"]) == (2, 2)
    abort(*clients)
    assert pool.run(then(first)).last["type"] == "done"
    pool.wait_for("idle", 1)


def test_a_request_that_finds_no_place_in_time_is_told_so(serve: Serve, tmp_path: Path) -> None:
    pool = configured(serve, tmp_path, "queue_s = 0.3\n[pool.default]\nmax = 1\nmin_idle = 0\n")
    running = begun(pool)
    refused = pool.run({"prompt": "Hi"})
    assert (*refused.ending, refused.last["retryable"]) == ("pool_full", 75, True)
    assert pool.status["pools"]["default"]["refused"] == {"pool_full": 1}
    abort(running)
    assert pool.run({"prompt": "Hi"}).last["type"] == "done"


def test_a_client_that_goes_away_waits_no_longer(serve: Serve, tmp_path: Path) -> None:
    pool = configured(serve, tmp_path, "queue_s = 600\n[pool.default]\nmax = 1\nmin_idle = 0\n")
    running = begun(pool)
    gone, served = pool.ask({"prompt": "I go"}), pool.ask({"prompt": "I stay"})
    pool.wait_for("waiting", 2)
    gone.close()
    pool.wait_for("waiting", 1)
    abort(running)
    assert "I stay" in served.end().last["text"]
    assert "has gone before its turn" in pool.log


def test_a_pool_that_is_full_keeps_nobody_from_another_pool(serve: Serve, tmp_path: Path) -> None:
    text = 'queue_s = 600\n[pool.small]\nmax = 1\nmin_idle = 0\n[pool.other]\nmodel = "claude-x"\nmin_idle = 0\n'
    pool = configured(serve, tmp_path, text)
    running = begun(pool)
    waiting = pool.ask({"prompt": "Hi"})
    pool.wait_for("waiting", 1, "small")
    assert pool.run({"prompt": "Hi", "model": "claude-x"}).last["type"] == "done"
    waiting.close()
    abort(running)


def test_a_request_that_waits_while_the_settings_change_is_served_by_the_new_ones(serve: Serve, tmp_path: Path) -> None:
    pool = configured(serve, tmp_path, "queue_s = 600\n[pool.default]\nmax = 1\nmin_idle = 0\n")
    running = begun(pool)
    waiting = pool.ask({"prompt": "Hi"})
    pool.wait_for("waiting", 1)
    (tmp_path / "pool.toml").write_text("queue_s = 600\n[pool.other]\nmin_idle = 0\n", "utf-8")
    pool.reload()
    assert waiting.end().last["type"] == "done"
    abort(running)


def test_from_the_bound_of_memory_on_nothing_waits_or_stays_and_requests_are_served(serve: Serve) -> None:
    pool = serve("--min-idle", "1", "--max-memory", "1M")
    until(lambda: members_of(pool, "idle"))
    for _ in range(2):
        run = pool.run({"prompt": "Hi. [[scenario:memory]]"})
        assert run.last["type"] == "done"
    until(lambda: pool.number("live") == 0, what=lambda: pool.status)


def test_a_process_that_does_not_run_any_more_is_replaced(serve: Serve) -> None:
    pool = serve("--min-idle", "1", "--max", "2")
    [stopped] = until(lambda: members_of(pool, "idle"))
    kill(stopped, signal.SIGSTOP)
    run = pool.run({"prompt": "Hi"})
    assert run.last["type"] == "done"
    pool.wait_for("idle", 1)
    assert stopped not in members_of(pool, "idle")


def test_a_process_that_forks_no_more_is_replaced(serve: Serve) -> None:
    pool = serve("--min-idle", "1", "--max-live", "0")
    pool.wait_for("idle", 1)
    for number in (signal.SIGKILL, signal.SIGSTOP):
        kill(pool.forkserver, number)
        for _ in range(2):
            assert pool.run({"prompt": "Hi"}).last["type"] == "done"
        pool.wait_for("idle", 1)
