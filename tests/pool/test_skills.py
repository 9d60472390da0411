"""Skills over a pool: agents of theirs are started ahead, and what no such agent can do is started for the request."""

from collections.abc import Callable
from pathlib import Path

from agent_workers.simulator import Simulator
from tests.e2e.worker import Home
from tests.pool.served import ServedPool
from tests.pool.test_pool import told

Serve = Callable[..., ServedPool]
_SKILL = """---
name: {name}
description: Says a word.
---
Say a word about the input.
"""
_INPUT = '{"type": "object", "properties": {"about": {"type": "string"}}, "required": ["about"]}'
_OUTPUT = '{"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}'


def skill(home: Home, name: str, settings: str = "") -> None:
    """Writes a skill where the home's workers find it."""
    folder = home.root / "skills" / name
    (folder / "agents").mkdir(parents=True)
    (folder / "SKILL.md").write_text(_SKILL.format(name=name), "utf-8")
    (folder / "input.schema.json").write_text(_INPUT, "utf-8")
    (folder / "output.schema.json").write_text(_OUTPUT, "utf-8")
    (folder / "agents/agent-workers.yaml").write_text(settings or "{}\n", "utf-8")
    home.environ["AGENT_WORKERS_SKILLS_PATH"] = str(folder.parent)


def test_a_skill_is_run_by_an_agent_that_was_started_ahead_as_by_one_of_its_own(
    serve: Serve, home: Home, simulator: Simulator
) -> None:
    simulator.play("structured-output")
    skill(home, "word")
    skill(home, "dear", "model: claude-dear\n")
    skill(home, "plain", "engine: messages\n")
    config = Path(home.root, "pool.toml")
    config.write_text(
        '[pool.words]\nworker = "agent-skill"\nmin_idle = 1\nmax_live = 0\n'
        '[pool.dear]\nworker = "agent-skill"\nmodel = "claude-dear"\nmin_idle = 1\nmax_live = 0\n',
        "utf-8",
    )
    pool = serve("--config", str(config))
    pool.wait_for("idle", 1, "words")
    pool.wait_for("idle", 1, "dear")
    found = {}
    for name in ("word", "dear", "plain"):
        request = {"skill": name, "input": {"about": "trust"}}
        alone = home.run(request, "--control", worker="agent-skill", after=b"\n")
        pooled = pool.run(request, worker="agent-skill")
        assert told(pooled.events) == told(alone.events)
        assert (pooled.last["type"], pooled.status) == ("done", 0)
        found[name] = pooled.events[0]["warm"]
    assert found == {"word": "warm", "dear": "warm", "plain": "cold"}
    named = pool.run({"input": {"about": "trust"}}, worker="agent-skill", skill="word")
    assert (named.last["type"], named.last["skill"]) == ("done", "word")


def test_where_the_policy_has_requests_done_without_an_agent_none_is_started_ahead(serve: Serve, home: Home) -> None:
    policy = home.root / "policy.toml"
    policy.write_text('version = 1\nengines = ["messages"]\n', "utf-8")
    pool = serve("--min-idle", "1", env={"AGENT_WORKERS_POLICY": str(policy)})
    pool.wait_for("idle", 1)
    run = pool.run({"prompt": "Hello"})
    assert (run.events[0]["engine"], run.events[0]["warm"], run.last["type"]) == ("messages", "cold", "done")
