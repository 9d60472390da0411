"""What is accepted on stdin, and what is refused before anything is started."""

import json
from pathlib import Path

import pytest

from agent_workers.simulator import Simulator, running_simulator
from tests.e2e.conftest import home_at
from tests.e2e.engines import AGENT, BOTH, ONCE
from tests.e2e.loaded import LoadedWorkers
from tests.e2e.stream import is_uuid
from tests.e2e.worker import Ended, Home, script

pytestmark = BOTH
forked = pytest.mark.usefixtures("loaded")
EXAMPLES = Path(__file__).parents[2] / "examples" / "requests"
HELLO = b'{"prompt": "Hello"}'


WRITTEN = {
    "one line": ((EXAMPLES / "hello.json").read_bytes(), "Hello"),
    "pretty-printed": ((EXAMPLES / "hello-pretty.json").read_bytes(), "Hello"),
    "byte order mark": (b'\xef\xbb\xbf{"prompt": "/clear"}', "/clear"),
    "CRLF": (b'{\r\n  "prompt": "@/etc/hostname",\r\n  "run": "order:4711_a.b-c"\r\n}\r\n', "@/etc/hostname"),
    "white space around it": (b'\n\n  {"prompt": "!date"}  \n\n', "!date"),
}
"""Requests that are written in several ways, and their prompts."""


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory, loaded: LoadedWorkers, engine: str) -> dict[str, Ended]:
    """The runs of these requests."""
    folder = tmp_path_factory.mktemp("written")
    with running_simulator() as simulator, home_at(folder, simulator, loaded, engine) as home:
        return {how: home.run(document) for how, (document, _) in WRITTEN.items()}


@pytest.mark.parametrize("how", WRITTEN)
def test_a_request_may_be_written_on_one_line_or_many(answered: dict[str, Ended], how: str) -> None:
    assert answered[how].ending == ("done", 0)
    assert answered[how].last["text"].endswith(f"You said: {WRITTEN[how][1]}")


@pytest.mark.parametrize("prompt", ["/clear", "@/etc/hostname", "!date"])
def test_a_prompt_is_only_text(answered: dict[str, Ended], prompt: str) -> None:
    """No slash command, no file, no shell command: a prompt may come from anybody."""
    [ended] = [answered[how] for how, (_, given) in WRITTEN.items() if given == prompt]
    assert ended.last["text"].endswith(f"You said: {prompt}")


def test_the_request_gives_the_run_its_id(answered: dict[str, Ended]) -> None:
    assert {event["run"] for event in answered["CRLF"].events} == {"order:4711_a.b-c"}


def test_a_run_tells_who_works_and_ends_with_the_answer(home: Home) -> None:
    ended = home.run({"prompt": "Hello"})
    start, session, done = ended.events[0], ended.events[1], ended.last
    assert ended.types == ["start", "session", *["delta"] * (len(ended.events) - 3), "done"]
    assert (start["worker"], start["simulated"]) == ("agent-chat", False)
    assert (session["tools"], session["resumed"]) == ([], False)
    assert is_uuid(start["run"])
    assert is_uuid(session["session_id"])
    assert done["session_id"] == session["session_id"]
    assert done["stop_reason"] == "end_turn"
    assert done["usage"]["input_tokens"] > 0
    assert done["usage"]["output_tokens"] > 0
    assert done["cost_usd"] > 0
    assert done["models"][session["model"]]["cost_usd"] == done["cost_usd"]
    assert done["turns"] == 1
    assert ended.stderr == ""


@forked
@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_each_example_is_accepted(home: Home, example: Path, engine: str) -> None:
    request = json.loads(example.read_bytes())
    skill = {"worker": "agent-skill"} if "input" in request else {}
    ended = home.run(request, *([example.stem] if skill else []), env={"AGENT_WORKERS_CLI": "/bin/false"}, **skill)
    if "resume" in request.get("session", {}):
        assert ended.ending == ("session_not_found", 1)  # beyond the request, too: nobody has begun that session here
    elif engine == AGENT:
        assert ended.ending == ("cli_crashed", 75)  # beyond the request, where the agent does not matter any more
    else:
        assert ended.types[:2] == ["start", "session"]


@forked
def test_an_image_reaches_the_model(home: Home, simulator: Simulator) -> None:
    request = json.loads((EXAMPLES / "image.json").read_bytes())
    ended = home.run(request)
    assert ended.ending == ("done", 0)
    (call,) = simulator.requests("/v1/messages")
    sent = [block for message in call.body["messages"] for block in message["content"]]
    assert request["prompt"][1] in [{key: block[key] for key in ("type", "source") if key in block} for block in sent]


REFUSED = {
    "typo": (b'{"prompt": "x", "systemPrompt": "y"}', [("/systemPrompt", "system_prompt")]),
    "no prompt": (b"{}", [("/prompt", None)]),
    "wrong types": (
        b'{"prompt": 1, "thinking": "yes", "limits": {"timeout_s": "10"}, "max_turns": 0}',
        [("/prompt", None), ("/max_turns", None), ("/thinking", None), ("/limits/timeout_s", None)],
    ),
    "typo below": (b'{"prompt": "x", "limits": {"timeout": 3}}', [("/limits/timeout", "timeout_s")]),
    "no object": (b"[]", [("", None)]),
    "task worker's field": (b'{"prompt": "x", "cwd": "/"}', [("/cwd", None)]),
    "tools of the application": (
        b'{"prompt": "x", "app_tools": [{"name": "a", "description": "b", "input_schema": {"type": "object"}}]}',
        [("/app_tools", None)],
    ),
    "no schema": (b'{"prompt": "x", "output_schema": {"type": "nonsense"}}', [("/output_schema/type", None)]),
    "a schema of no object": (b'{"prompt": "x", "output_schema": {"type": "array"}}', [("/output_schema", None)]),
    "a property whose name is a keyword": (
        b'{"prompt": "x", "output_schema": {"type": "object", "properties": {"default": {"$ref": "http://a/b"}}}}',
        [("/output_schema/properties/default/$ref", None)],
    ),
    "blanks": (b'{"prompt": " \\u00a0\\u200b\\n"}', [("/prompt", None)]),
    "blank blocks": (b'{"prompt": [{"type": "text", "text": "\\u3000"}]}', [("/prompt", None)]),
    "broken JSON": (b'{"prompt": "x"', [("", None)]),
    "two documents": (HELLO + b"\n" + HELLO, [("", None)]),
    "a name twice": (b'{"prompt": "x", "prompt": "y"}', [("/prompt", None)]),
    "NaN": (b'{"prompt": "x", "metadata": {"a": NaN}}', [("", None)]),
    "not UTF-8": (b'{"prompt": "\xff"}', [("", None)]),
    "nested too deep": (b'{"prompt": "x", "metadata": {"a":' + b"[" * 5000 + b"]" * 5000 + b"}}", [("", None)]),
    "empty": (b"", [("", None)]),
    "white space": (b" \n\t", [("", None)]),
}


@ONCE
@forked
@pytest.mark.parametrize(("document", "problems"), REFUSED.values(), ids=REFUSED)
def test_a_faulty_request_is_refused_with_all_its_problems_and_told_to_no_agent(
    home: Home, simulator: Simulator, document: bytes, problems: list[tuple[str, str | None]]
) -> None:
    trace = home.root / "trace"
    spy = script(home.root / "spy", f"cat > {trace}")
    ended = home.run(document, env={"AGENT_WORKERS_CLI": str(spy)})
    assert ended.types == ["error"]
    assert ended.ending == ("invalid_request", 2)
    assert [(problem["pointer"], problem.get("did_you_mean")) for problem in ended.last["details"]] == problems
    assert ended.last["retryable"] is False
    assert not trace.exists() or trace.read_bytes() == b""
    assert simulator.requests() == []
    assert "Traceback" not in ended.stderr


@ONCE
@forked
def test_another_version_of_the_contract_is_refused_as_such(home: Home) -> None:
    ended = home.run({"v": 2, "prompt": "x", "unheard_of": 1, "run": "r-1"})
    assert ended.types == ["error"]
    assert ended.ending == ("unsupported_version", 2)
    assert ended.last["run"] == "r-1"


@ONCE
def test_a_request_without_end_is_refused_and_its_writer_meets_no_broken_pipe(home: Home) -> None:
    running = home.start()
    junk = b'{"prompt": "' + b"x" * (1 << 20)
    assert running._popen.stdin
    for _ in range(50):
        running._popen.stdin.write(junk)
    running.end_input()
    ended = running.end()
    assert ended.types == ["error"]
    assert ended.ending == ("invalid_request", 2)


@ONCE
def test_a_stdin_that_is_closed_is_a_request_that_is_missing(home: Home) -> None:
    running = home.start(prefix=("sh", "-c", 'exec "$@" <&-', "sh"))
    ended = running.end()
    assert ended.types == ["error"]
    assert ended.ending == ("invalid_request", 2)


@ONCE
@forked
@pytest.mark.parametrize(
    "arguments", [["--nonsense"], ["--simulate=nonsense"], ["surplus"], ["--control", "--nonsense"]], ids=" ".join
)
def test_a_faulty_command_line_is_refused_in_the_same_way(home: Home, arguments: list[str]) -> None:
    ended = home.run({"prompt": "Hello"}, *arguments)
    assert ended.types == ["error"]
    assert ended.ending == ("invalid_request", 2)


@forked
def test_the_simulator_answers_without_credential_or_network(home: Home, simulator: Simulator) -> None:
    ended = home.run({"prompt": "Hello"}, "--simulate", without=("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"))
    assert ended.ending == ("done", 0)
    assert ended.events[0]["simulated"] is True
    assert simulator.requests() == []
