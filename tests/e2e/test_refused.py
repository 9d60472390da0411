"""What the API has refused does not stay in the session: the next message is answered."""

import base64
import json
from typing import Any

import pytest

from agent_workers.engine.claude.launch.installation import find_cli
from agent_workers.simulator import Scenario, Simulator
from agent_workers.simulator.scenario import Failure, Message, Text
from tests.e2e.beginning import Begin
from tests.e2e.desk import Desk, bash
from tests.e2e.worker import Ended, Home, script

pytestmark = pytest.mark.usefixtures("loaded")
# One pixel. What is wrong with it in these tests, the API alone says.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
CANARY = "canary-of-the-refused"


def _image(**source: str) -> dict[str, Any]:
    return {"type": "image", "source": source}


def _pixel() -> dict[str, Any]:
    return _image(type="base64", media_type="image/png", data=PIXEL)


def _refusal(status: int, message: str, error: str = "invalid_request_error") -> Failure:
    return Failure(status=status, error=error, message=message)


DEAD_URL = _image(type="url", url="https://example.com/gone.png")
PDF = {
    "type": "document",
    "source": {"type": "base64", "media_type": "application/pdf", "data": base64.b64encode(b"%PDF-1.4 x").decode()},
}
TOO_LONG = "prompt is too long: 250000 tokens > 200000 maximum"
KINDS = {
    "dead URL": ([DEAD_URL], _refusal(400, "Unable to download the file. Please verify the URL and try again.")),
    "corrupt image": ([_pixel()], _refusal(400, "messages.0.content.1.image.source.base64: Could not process image")),
    "large image": (
        [_pixel()],
        _refusal(400, "messages.0.content.1.image.source.base64: image exceeds 5 MB maximum: 6 MB > 5 MB"),
    ),
    "too many images": ([_pixel()] * 101, _refusal(400, "messages: too many images: 101 > 100")),
    "corrupt PDF": ([PDF], _refusal(400, "messages.0.content.1.pdf.source.base64.data: The PDF was not valid.")),
    "too large": ([], _refusal(413, "Request exceeds the maximum size", "request_too_large")),
    "too long": ([], _refusal(400, TOO_LONG)),
    "of no known kind": ([], _refusal(400, "messages: something is wrong")),
    "unprocessable": ([], _refusal(422, "messages: something is wrong")),
}


@pytest.fixture
def first(begin: Begin) -> Ended:
    """The first run of a conversation."""
    return begin("the first message", lambda desk: desk.home.run({"prompt": "My name is Ada."}))


def _play(simulator: Simulator, *steps: Message | Failure) -> None:
    simulator.play(Scenario(name="own", description="A test's.", steps=steps))


def _prompt(attachments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": CANARY}, *attachments]


def _resumed(home: Home, prompt: object, earlier: Ended, **session: Any) -> Ended:
    return home.run({"prompt": prompt, "session": {"resume": earlier.last["session_id"], **session}})


def _seen(simulator: Simulator) -> str:
    """The conversation in the last call of the API."""
    return json.dumps(simulator.requests("/v1/messages")[-1].body["messages"])


def _notices(ended: Ended) -> list[str]:
    return [notice["code"] for notice in ended.of("notice") if notice["code"] != "compacted"]


@pytest.mark.parametrize(("attachments", "refusal"), KINDS.values(), ids=KINDS)
def test_after_a_refused_message_the_conversation_goes_on_from_before_it(
    home: Home, simulator: Simulator, first: Ended, attachments: list[dict[str, Any]], refusal: Failure
) -> None:
    _play(simulator, refusal)
    refused = _resumed(home, _prompt(attachments), first)
    assert refused.last["type"] == "error"
    assert refused.last["session_id"] == first.last["session_id"]
    assert _notices(refused) == ["turn_dropped"]
    simulator.play("memory")
    after = _resumed(home, "Who am I?", first)
    assert after.last["text"] == "You sent 2 prompts. The first was: My name is Ada."
    assert CANARY not in _seen(simulator)


@pytest.mark.parametrize("kind", ["dead URL", "too long"])
def test_a_session_whose_first_message_was_refused_begins_once_more(
    home: Home, simulator: Simulator, kind: str
) -> None:
    attachments, refusal = KINDS[kind]
    _play(simulator, refusal)
    refused = home.run({"prompt": _prompt(attachments)})
    again = _resumed(home, _prompt(attachments), refused)
    assert refused.last["session_id"] == again.last["session_id"]
    simulator.play("memory")
    for number in (1, 2):
        after = _resumed(home, "Who am I?", refused)
        assert after.last["text"] == f"You sent {number} prompts. The first was: Who am I?"
        assert after.last["session_id"] == refused.last["session_id"]
        assert CANARY not in _seen(simulator)


def test_a_fork_of_a_session_whose_first_message_was_refused_begins_too(home: Home, simulator: Simulator) -> None:
    simulator.play("bad-request-400")
    refused = home.run({"prompt": CANARY})
    simulator.play("memory")
    fork = _resumed(home, "Who am I?", refused, fork=True)
    original = _resumed(home, "Who am I?", refused)
    for ended in (fork, original):
        assert ended.last["text"] == "You sent 1 prompts. The first was: Who am I?"
    assert fork.last["session_id"] != original.last["session_id"] == refused.last["session_id"]


def test_what_was_refused_in_a_fork_stays_in_neither(home: Home, simulator: Simulator, first: Ended) -> None:
    simulator.play("bad-request-400")
    fork = _resumed(home, CANARY, first, fork=True)
    assert fork.ending == ("invalid_request", 1)
    simulator.play("memory")
    for earlier in (fork, first):
        after = _resumed(home, "Who am I?", earlier)
        assert after.last["text"] == "You sent 2 prompts. The first was: My name is Ada."
        assert CANARY not in _seen(simulator)


def test_what_the_model_refuses_to_answer_does_not_stay_either(home: Home, simulator: Simulator, first: Ended) -> None:
    """Asked with it again, the model would refuse again."""
    simulator.play("refusal")
    refused = _resumed(home, CANARY, first)
    assert (refused.ending, refused.last["stop_reason"]) == (("done", 0), "refusal")
    assert _notices(refused) == ["turn_dropped"]
    simulator.play("memory")
    after = _resumed(home, "Who am I?", first)
    assert after.last["text"] == "You sent 2 prompts. The first was: My name is Ada."
    assert CANARY not in _seen(simulator)


def test_an_image_that_was_accepted_and_is_refused_later_is_told_to_end_the_session(
    home: Home, simulator: Simulator
) -> None:
    simulator.play("memory")
    first = home.run({"prompt": [{"type": "text", "text": "Look."}, DEAD_URL]})
    assert first.ending == ("done", 0)
    _play(simulator, KINDS["dead URL"][1])
    assert _notices(_resumed(home, "Who am I?", first)) == ["turn_dropped", "session_refused"]
    assert _notices(_resumed(home, [{"type": "text", "text": "And this?"}, DEAD_URL], first)) == ["turn_dropped"]


def test_a_fork_that_follows_the_end_at_once_does_not_have_what_was_refused(
    home: Home, simulator: Simulator, first: Ended
) -> None:
    """Though the CLI takes its time to end, and what was refused is taken out after that."""
    _play(simulator, KINDS["dead URL"][1])
    home.loaded = None  # as an application starts it, in its own time
    slow = script(home.root / "claude", f'{find_cli({})} "$@"', "status=$?", "sleep 2", "exit $status")
    running = home.start(env={"AGENT_WORKERS_CLI": str(slow)})
    running.send({"prompt": CANARY, "session": {"resume": first.last["session_id"]}})
    running.end_input()
    running.wait_for("error")
    simulator.play("memory")
    fork = _resumed(home, "Who am I?", first, fork=True)
    assert fork.last["text"] == "You sent 2 prompts. The first was: My name is Ada."
    assert CANARY not in _seen(simulator)
    running.end()


@pytest.mark.parametrize("kind", ["corrupt image", "too large"])
def test_the_work_before_a_refused_tool_result_stays(desk: Desk, kind: str) -> None:
    work = Message(content=(Text(text="I begin."), bash("echo of-the-first-call")))
    looks = Message(content=(bash("echo of-the-second-call"), bash(f"echo {CANARY.replace('-', '')}")))
    _play(desk.simulator, work, looks, KINDS[kind][1])
    first = desk.run(tools=["Bash"])
    assert first.last["type"] == "error"
    desk.simulator.play("memory")
    after = desk.run(session={"resume": first.last["session_id"]}, prompt="And now?")
    assert after.last["text"] == "You sent 2 prompts. The first was: Work."
    told = desk.told_to_the_model()
    assert told[0] == "of-the-first-call"
    assert CANARY.replace("-", "") not in "".join(told)


@pytest.mark.parametrize("scenario", ["overloaded-529", "unauthorized-401", "cut-mid-stream"])
def test_a_message_that_failed_for_another_reason_stays(home: Home, simulator: Simulator, scenario: str) -> None:
    simulator.play(scenario)
    failed = home.run({"prompt": "My name is Ada."})
    assert _notices(failed) == []
    simulator.play("memory")
    after = _resumed(home, "Who am I?", failed)
    assert after.ending == ("done", 0)
    assert "My name is Ada." in _seen(simulator)


@pytest.mark.parametrize("name", ["work", "w" * 120 + "/" + "ü😀" * 30], ids=["usual", "long"])
@pytest.mark.parametrize("worker", ["agent-chat", "agent-task"])
def test_an_image_is_not_named_to_the_model_by_where_it_lies(begin: Begin, worker: str, name: str) -> None:
    if worker == "agent-chat":
        name = "work"  # it works in a directory of its own, so that both are one
    runs, calls, temporary = begin(f"images in {worker} {name[:4]}", lambda desk: _with_images(desk, worker, name))
    for ended in runs:
        assert ended.ending == ("done", 0)
        assert all(result["status"] == "ok" for result in ended.of("tool_result"))
    assert PIXEL in json.dumps(calls[-1])
    for messages in calls:
        conversation = json.dumps([message for message in messages if message["role"] != "system"])
        assert temporary not in conversation
        assert "/images/" not in conversation


def _with_images(desk: Desk, worker: str, name: str) -> tuple[list[Ended], list[list[dict[str, Any]]], str]:
    """A run with images and a fork of it; the conversations as the API got them, and where the files of runs are."""
    cwd = desk.home.root / name
    cwd.mkdir(parents=True, exist_ok=True)
    task = {"cwd": str(cwd), "tools": ["Bash"]} if worker == "agent-task" else {}
    prompt = [{"type": "text", "text": f"[[scenario:{'tool-loop' if task else 'hello'}]] Look."}, _pixel(), _pixel()]
    first = desk.home.run({"prompt": prompt, **task}, worker=worker)
    resume = {"resume": first.last["session_id"], "fork": True}
    second = desk.home.run({"prompt": prompt, "session": resume, **task}, worker=worker)
    calls = [call.body["messages"] for call in desk.simulator.requests("/v1/messages")]
    return [first, second], calls, str(desk.home.temporary)
