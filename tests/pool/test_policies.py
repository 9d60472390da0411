"""A pool's own policy beside the host's: a request is never granted more than both of them allow."""

from collections.abc import Callable

import pytest

from tests.e2e.worker import Home
from tests.pool.served import ServedPool

Serve = Callable[..., ServedPool]


@pytest.fixture
def served(serve: Serve, home: Home) -> Callable[[str, str], ServedPool]:
    """A pool with these policies: the host's and its own."""

    def served(host: str, own: str) -> ServedPool:
        for name, text in {"host": host, "own": own}.items():
            (home.root / f"{name}.toml").write_text(f"version = 1\n{text}\n", "utf-8")
        settings = home.root / "pool.toml"
        policies = [f'policy = "{home.root / name}.toml"' for name in ("host", "own")]
        settings.write_text(f"{policies[0]}\n[pool.default]\nmin_idle = 1\n{policies[1]}\n", "utf-8")
        return serve("--config", str(settings))

    return served


def test_what_the_hosts_policy_fills_in_its_own_stricter_one_does_not_refuse(
    served: Callable[[str, str], ServedPool],
) -> None:
    pool = served("[limits]\ntimeout_s = 200\nmax_turns = 9", "[limits]\ntimeout_s = 100\nmax_turns = 5")
    pool.wait_for("idle", 1)
    run = pool.run({"prompt": "Hello"})
    assert (run.ending, run.events[0]["warm"]) == (("done", 0), "warm")
    assert pool.run({"prompt": "Hello", "limits": {"timeout_s": 150}}).ending == ("policy_denied", 2)


@pytest.mark.parametrize("limits", [("", "max_request_bytes = 1000"), ("max_request_bytes = 1000", "")])
def test_a_request_is_as_large_as_both_allow(served: Callable[[str, str], ServedPool], limits: tuple[str, str]) -> None:
    pool = served(*(f"[limits]\n{limit}" for limit in limits))
    assert pool.run({"prompt": "Hello " * 200}).ending == ("invalid_request", 2)
    assert pool.run({"prompt": "Hello"}).ending == ("done", 0)
