"""A pool's lines are chained where its own operator wants it, for agents that wait and for those that stay."""

from collections.abc import Callable

from agent_workers.proof import verify
from tests.e2e.desk import Desk
from tests.e2e.worker import SCRIPTS, Home
from tests.pool.served import ServedPool

ON = {"AGENT_WORKERS_CHAIN": "1"}


def test_cold_warm_and_live_runs_are_chained_each_from_its_beginning(
    serve: Callable[..., ServedPool], home: Home
) -> None:
    pool = serve("--min-idle", "1", "--max-live", "1", env=ON)
    pool.wait_for("idle", 1)
    warm = pool.run({"prompt": "Hello"})
    live = pool.run({"prompt": "And?", "session": {"resume": warm.last["session_id"]}})
    cold = pool.run({"prompt": "Hello", "max_turns": 3})
    task = pool.run({"prompt": "Go.", "cwd": str(Desk(home, None).cwd)}, worker="agent-task")  # type: ignore[arg-type]
    refused = pool.run({"prompt": ""})
    assert [run.events[0].get("warm") for run in (warm, live, cold)] == ["warm", "live", "cold"]
    for run in (warm, live, cold, task, refused):
        report = verify([run.output])
        assert (report.findings, report.is_chained, len(report.runs)) == ([], True, 1)


def test_the_client_of_a_pool_has_no_word_in_it(serve: Callable[..., ServedPool], home: Home) -> None:
    pool = serve("--min-idle", "0", env=ON)
    here = {"AGENT_WORKERS_POOL": str(pool.path), "AGENT_WORKERS_CHAIN": "0"}
    request = {"prompt": "Hello", "engine": "messages"}
    assert verify([home.run(request, env=here).output]).is_chained
    command = [str(SCRIPTS / "agent-chat"), "--no-such-option"]
    refused = home.run_command(command, home.environ | here | ON).end()
    assert refused.last["prev"] == "0" * 64
