"""What the API has refused does not stay in the session: the next message is answered."""

import base64
import json
from dataclasses import dataclass
from typing import Any

import pytest

from agent_workers.engine.claude.launch.installation import find_cli
from agent_workers.simulator import Scenario, Simulator
from agent_workers.simulator.api_request import ApiRequest
from agent_workers.simulator.scenario import Failure, Message, Text
from tests.e2e.beginning import Begin
from tests.e2e.desk import Desk, bash
from tests.e2e.engines import BOTH, OF_AGENTS
from tests.e2e.worker import Ended, Home, script

pytestmark = [pytest.mark.usefixtures("loaded"), BOTH]
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


def _prompt(attachments: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": f"{CANARY} {kind}."}, *attachments]


def _resumed(home: Home, prompt: object, earlier: Ended, **session: Any) -> Ended:
    return home.run({"prompt": prompt, "session": {"resume": earlier.last["session_id"], **session}})


def _seen(simulator: Simulator) -> str:
    """The conversation in the last call of the API."""
    return json.dumps(simulator.requests("/v1/messages")[-1].body["messages"])


def _notices(ended: Ended) -> list[str]:
    return [notice["code"] for notice in ended.of("notice") if notice["code"] != "compacted"]


@dataclass(frozen=True)
class Refusals:
    """Runs of one conversation, all refused but the first and the last, and of a fork of it.

    Attributes:
        first: The first run.
        refused: The run of each kind.
        seen: What the API then got from the next run.
        after: The last run, which follows ``UNANSWERED``.
        after_fork: A run of the fork, the first message of which was refused.
        seen_in_fork: What the API got from that.
    """

    first: Ended
    refused: dict[str, Ended]
    seen: dict[str, list[dict[str, Any]]]
    after: Ended
    after_fork: Ended
    seen_in_fork: str


FORK, UNANSWERED = "in a fork", "by the model"


@pytest.fixture
def refusals(begin: Begin) -> Refusals:
    return begin("refusals", _refusals)


def _refusals(desk: Desk) -> Refusals:
    home, simulator = desk.home, desk.simulator
    first = home.run({"prompt": "My name is Ada."})
    refused: dict[str, Ended] = {}
    seen: list[list[dict[str, Any]]] = []

    def run(prompt: object, earlier: Ended = first, **session: Any) -> Ended:
        calls = len(simulator.requests("/v1/messages"))
        ended = _resumed(home, prompt, earlier, **session)
        seen.append(simulator.requests("/v1/messages")[calls].body["messages"])
        return ended

    simulator.play("bad-request-400")
    refused[FORK] = run(_prompt([], FORK), fork=True)
    for kind, (attachments, refusal) in KINDS.items():
        _play(simulator, refusal)
        refused[kind] = run(_prompt(attachments, kind))
    simulator.play("refusal")
    refused[UNANSWERED] = run(_prompt([], UNANSWERED))
    simulator.play("memory")
    after = run("Who am I?")
    followed = dict(zip(refused, seen[1:], strict=True))
    after_fork = run("Who am I?", refused[FORK])
    return Refusals(first, refused, followed, after, after_fork, _seen(simulator))


def _assert_gone(refusals: Refusals, kind: str) -> None:
    """Checks that the next message follows the first one at once."""
    seen = refusals.seen[kind]
    assert f"{CANARY} {kind}." not in json.dumps(seen)
    prompts = [prompt.text for prompt in ApiRequest({}, {"messages": seen}).prompts]
    assert (len(prompts), prompts[0]) == (2, "My name is Ada.")


@pytest.mark.parametrize("kind", KINDS)
def test_after_a_refused_message_the_conversation_goes_on_from_before_it(refusals: Refusals, kind: str) -> None:
    refused = refusals.refused[kind]
    assert refused.last["type"] == "error"
    assert refused.last["session_id"] == refusals.first.last["session_id"]
    assert _notices(refused) == ["turn_dropped"]
    _assert_gone(refusals, kind)


def test_after_many_refused_messages_the_next_one_is_answered(refusals: Refusals) -> None:
    assert refusals.after.ending == ("done", 0)
    assert CANARY not in json.dumps(refusals.seen[UNANSWERED])
    assert refusals.after.last["text"] == "You sent 2 prompts. The first was: My name is Ada."


@pytest.mark.parametrize("kind", ["dead URL", "too long"])
def test_a_session_whose_first_message_was_refused_begins_once_more(
    home: Home, simulator: Simulator, kind: str
) -> None:
    attachments, refusal = KINDS[kind]
    _play(simulator, refusal)
    refused = home.run({"prompt": _prompt(attachments, kind)})
    again = _resumed(home, _prompt(attachments, kind), refused)
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


def test_what_was_refused_in_a_fork_stays_in_neither(refusals: Refusals) -> None:
    assert refusals.refused[FORK].ending == ("invalid_request", 1)
    _assert_gone(refusals, FORK)
    assert refusals.after_fork.last["text"] == "You sent 2 prompts. The first was: My name is Ada."
    assert CANARY not in refusals.seen_in_fork


def test_what_the_model_refuses_to_answer_does_not_stay_either(refusals: Refusals) -> None:
    """Asked with it again, the model would refuse again."""
    refused = refusals.refused[UNANSWERED]
    assert (refused.ending, refused.last["stop_reason"]) == (("done", 0), "refusal")
    assert _notices(refused) == ["turn_dropped"]
    _assert_gone(refusals, UNANSWERED)
    assert refusals.after.last["text"] == "You sent 2 prompts. The first was: My name is Ada."


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


@OF_AGENTS
def test_the_work_before_a_refused_tool_result_stays(desk: Desk) -> None:
    session: dict[str, Any] = {}
    for kind in ("corrupt image", "too large"):
        work = Message(content=(Text(text="I begin."), bash(f"echo first call, {kind}")))
        looks = Message(content=(bash("echo of-the-second-call"), bash(f"echo {CANARY.replace('-', '')}")))
        _play(desk.simulator, work, looks, KINDS[kind][1])
        refused = desk.run(tools=["Bash"], **session)
        assert refused.last["type"] == "error", kind
        session = {"session": {"resume": refused.last["session_id"]}}
    desk.simulator.play("memory")
    after = desk.run(prompt="And now?", **session)
    assert after.last["text"] == "You sent 3 prompts. The first was: Work."
    told = [result for result in desk.told_to_the_model() if not result.startswith("[Tool call interrupted")]
    assert told == ["first call, corrupt image", "first call, too large"]


def test_a_message_that_failed_for_another_reason_stays(home: Home, simulator: Simulator) -> None:
    failing = ("overloaded-529", "unauthorized-401", "cut-mid-stream")
    session: dict[str, Any] = {}
    for scenario in failing:
        simulator.play(scenario)
        failed = home.run({"prompt": f"My name is {scenario}.", **session})
        assert failed.last["type"] == "error", scenario
        assert _notices(failed) == [], scenario
        session = {"session": {"resume": failed.last["session_id"]}}
    simulator.play("memory")
    after = home.run({"prompt": "Who am I?", **session})
    assert after.ending == ("done", 0)
    for scenario in failing:
        assert f"My name is {scenario}." in _seen(simulator)


@pytest.mark.parametrize("name", ["work", "w" * 120 + "/" + "ü😀" * 30], ids=["usual", "long"])
@pytest.mark.parametrize("worker", ["agent-chat", pytest.param("agent-task", marks=OF_AGENTS)])
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
