"""What real php-fpm and nginx do to a run, and a run to them."""

import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent_workers.simulator import Simulator
from tests.laravel.site import CANARY, Site, environ_of, parent_of
from tests.laravel.visitor import Visitor
from tests.waiting import now, until

AIM_S = 3
"""Within this time, worker and CLI are to be gone when their reader has."""
BUSY_S = 2 * AIM_S
"""How long a test waits for it, for the machine may be busy."""


@dataclass
class Watched:
    """What was seen of one run, whose visitor asks for other things meanwhile and leaves in mid-stream."""

    cookies: list[str]
    environments: dict[str, list[bytes]] = field(default_factory=dict)
    """Of its workers and of its agents."""
    owners: set[int] = field(default_factory=set)
    page: int = 0
    other_answers: list[tuple[int, str]] = field(default_factory=list)
    """Of prompts, each right after the answer to the one before: the status of the response, and what was said."""
    events: list[str] = field(default_factory=list)
    """Types of those that came after the other answers, and after the visitor had gone."""


@pytest.fixture(scope="module")
def watched(running_site: Site) -> Watched:
    visitor = Visitor(running_site.port)
    seen = Watched(cookies=list(visitor.http.cookies.values()))
    with visitor.ask("Take your time. [[scenario:slow]]") as stream:
        stream.wait_for("delta")
        for kind in ("agent-chat", "claude"):
            found = running_site.processes(kind)
            seen.environments[kind] = [b"\n".join(environ_of(pid)) for pid in found]
        seen.owners = {Path(f"/proc/{pid}").stat().st_uid for pid in running_site.processes()}
        seen.page = visitor.http.get("/").status_code
        for number in (1, 2, 3):
            prompt = f"{number}, at the same time. [[scenario:memory]]"
            with visitor.ask(prompt, conversation="0c6f9d3e-1111-4222-8333-444455556666") as other:
                seen.other_answers.append((other.response.status_code, other.wait_for("done")["text"]))
        seen.events.append(stream.wait_for("delta")["type"])
    until(lambda: not running_site.processes(), within_s=BUSY_S, what=running_site.left)
    with visitor.resume(stream.run, after=1) as again:
        seen.events += [event["type"] for event in again.events()]
    visitor.http.close()
    return seen


def test_neither_worker_nor_cli_sees_the_visitor_or_the_database_in_its_environment(
    site: Site, watched: Watched
) -> None:
    assert watched.cookies
    for kind, environments in watched.environments.items():
        assert environments, kind
        for environment in (each.decode() for each in environments):
            assert CANARY not in environment
            assert "canary-of-a-header" not in environment
            names = {entry.partition("=")[0] for entry in environment.splitlines()}
            forbidden = {"DB_PASSWORD", "APP_KEY", "QUERY_STRING", "REQUEST_URI", "SCRIPT_FILENAME", "PHP_SELF"}
            assert not names & forbidden
            assert not [name for name in names if name.startswith(("HTTP_", "SERVER_", "REMOTE_", "FCGI_"))]
            assert all(cookie not in environment for cookie in watched.cookies)


def test_runs_belong_to_the_web_user(site: Site, watched: Watched) -> None:
    if site.user is None:
        pytest.skip("needs root, to become another user")
    assert watched.owners == {site.state.stat().st_uid} != {0}


def kill_php(site: Site) -> None:
    """Kills what the worker answers to, and waits for the end of the run."""
    workers = site.processes("agent-chat")
    [worker] = [pid for pid in workers if parent_of(pid) not in workers]  # the other one watches over its end
    assert site.processes("claude")
    os.kill(parent_of(worker), signal.SIGKILL)
    until(lambda: not site.processes(), within_s=BUSY_S, what=site.left)


def test_worker_and_cli_end_when_php_is_killed_before_the_first_word(site: Site, visitor: Visitor) -> None:
    with visitor.ask("Kill PHP. [[scenario:stall-before]]") as stream:
        stream.wait_for("session")
        kill_php(site)


def test_a_connection_that_is_closed_in_mid_stream_ends_worker_and_cli(site: Site, watched: Watched) -> None:
    assert watched.events[-1] == "aborted"


def test_a_connection_that_is_closed_before_the_first_word_ends_worker_and_cli(site: Site, visitor: Visitor) -> None:
    with visitor.ask("Close. [[scenario:stall-before]]") as stream:
        stream.wait_for("session")
        run = stream.run
        assert site.processes("claude")
    until(lambda: not site.processes(), within_s=BUSY_S, what=site.left)
    with visitor.resume(run, after=1) as stream:
        assert [event["type"] for event in stream.events()][-1] == "aborted"


def test_a_stream_holds_up_no_other_request_of_its_visitor(site: Site, watched: Watched) -> None:
    # A stream lasts three minutes; that this came back at all before its end is what matters.
    assert watched.page == 200
    assert "same time" in watched.other_answers[0][1]
    assert watched.events[0] == "delta"


def test_events_come_through_one_by_one(site: Site, visitor: Visitor) -> None:
    # The model falls silent after a few words: what holds them back until there are more would hold them for ever.
    with visitor.ask("Fall silent. [[scenario:stall-mid-stream]]") as stream:
        said = "".join(stream.wait_for("delta")["text"] for _ in range(5))
    assert "One two three four five" in said
    until(lambda: not site.processes(), within_s=BUSY_S, what=site.left)


def test_a_full_pool_says_so_and_answers_pass_while_it_is_full(site: Site) -> None:
    visitors = [Visitor(site.full_port) for _ in range(4)]
    asked, talker, late, stopped = visitors
    with (
        asked.ask("Prepare the fair. [[scenario:task-demo]]", address="/task") as task,
        talker.ask("Take your time. [[scenario:slow]]") as talk,
    ):
        question = task.wait_for("permission_request")
        talk.wait_for("delta")
        began = now()
        with late.ask("Me too.") as refused:
            assert refused.response.status_code == 503
            assert int(refused.response.headers["Retry-After"]) > 0
            assert json.loads(refused.response.read())["code"] == "server_busy"
        with talker.resume(talk.run, after=0) as refused:
            assert refused.response.status_code == 503
        assert late.http.get("/task").status_code == 200
        deny = asked.post(f"/task/{task.run}/permissions/{question['permission_id']}", {"behavior": "deny"})
        assert deny.status_code == 204
        assert talker.post(f"/agent/runs/{talk.run}/abort", {}).status_code == 204
        # Each of these waits for a free process in vain where it has to share with the streams.
        assert now() - began < BUSY_S
        assert task.wait_for("permission_resolved")["behavior"] == "deny"
        task.wait_for("done")
        talk.wait_for("aborted")

    def is_free() -> bool:
        with stopped.ask("Now? [[scenario:hello]]") as stream:
            return stream.response.status_code == 200 and stream.wait_for("done") is not None

    until(is_free, what="a free place")
    for visitor in visitors:
        visitor.http.close()


def test_a_php_that_is_killed_in_mid_stream_leaves_no_process_and_gives_its_place_and_its_conversation_back(
    site: Site,
) -> None:
    visitor = Visitor(site.full_port)
    conversation = "8b8c3f0e-6a51-4a3e-9a55-0f0f6f1c2d3e"
    with visitor.ask("Kill PHP. [[scenario:slow]]", conversation=conversation) as stream:
        stream.wait_for("delta")
        with visitor.ask("At the same time?", conversation=conversation) as second:
            assert second.response.status_code == 409
            assert json.loads(second.response.read())["code"] == "session_busy"
        kill_php(site)

    def goes_on_beside_another() -> bool:
        with visitor.ask("And now? [[scenario:memory]]", conversation=conversation) as stream:
            if stream.response.status_code == 409:
                time.sleep(int(stream.response.headers["Retry-After"]))  # as asked
                return False
            with visitor.ask("Me too. [[scenario:hello]]") as other:
                has_both_places = other.response.status_code == 200
                return has_both_places and "The first was: Kill PHP." in stream.wait_for("done")["text"]

    until(goes_on_beside_another, what="the conversation, and both places")
    visitor.http.close()


def test_the_next_prompt_right_after_an_answer_is_taken(site: Site, watched: Watched) -> None:
    for number, (status, answer) in enumerate(watched.other_answers, 1):
        assert status == 200
        assert f"{number} prompt" in answer
    assert len(watched.other_answers) == 3


@pytest.mark.parametrize("lasting", [False, True], ids=["abort", "continue"])
def test_a_run_is_stopped_by_another_request_of_its_owner_alone(site: Site, lasting: bool) -> None:
    port = site.lasting_port if lasting else site.port
    owner, stranger = Visitor(port), Visitor(port)
    with owner.ask("Stop me. [[scenario:slow]]") as stream:
        stream.wait_for("delta")
        address = f"/agent/runs/{stream.run}/abort"
        assert stranger.post(address, {}).status_code == 404
        assert owner.http.post(address, json={}).status_code == 419
        assert stream.wait_for("delta")
        assert owner.post(address, {}).status_code == 204
        assert stream.wait_for("aborted")["reason"] == "client"
        until(lambda: not site.processes(), within_s=BUSY_S, what=site.left)
        assert owner.post(address, {}).status_code == 410
    for visitor in (owner, stranger):
        visitor.http.close()


@dataclass
class Followed:
    """A run that was over without its visitor, and the events that the visitor got who came back."""

    visitor: Visitor
    run: str
    events: list[dict[str, Any]]


@pytest.fixture(scope="module")
def followed(running_site: Site) -> Iterator[Followed]:
    visitor = Visitor(running_site.lasting_port)
    with visitor.ask("Go on without me. [[scenario:long-text]]") as stream:
        stream.wait_for("delta")
    with visitor.resume(stream.run, after=0) as follower:
        events = list(follower.events())
    yield Followed(visitor, stream.run, events)
    visitor.http.close()


def test_a_run_of_somebody_else_does_not_exist(site: Site, followed: Followed) -> None:
    assert followed.events[-1]["type"] == "done"
    stranger = Visitor(site.lasting_port)
    with stranger.resume(followed.run, after=0) as refused:
        assert refused.response.status_code == 404
    with followed.visitor.resume(followed.run, after=1) as again:
        assert next(event["seq"] for event in again.events()) == 2
    with followed.visitor.resume(followed.run, after=10_000) as nothing:
        assert nothing.response.status_code == 204
    stranger.http.close()


def test_a_refused_request_starts_nothing(site: Site, visitor: Visitor, simulator: Simulator) -> None:
    before = len(simulator.requests())
    with visitor.ask("Be free.", model="claude-free") as refused:
        assert refused.response.status_code == 422
        assert "model" in refused.response.read().decode()
    with visitor.ask("") as refused:
        assert refused.response.status_code == 422
    assert visitor.http.post("/agent/chat", json={"prompt": "Without the page's token."}).status_code == 419
    assert site.processes() == []
    assert len(simulator.requests()) == before


def test_followers_of_a_run_get_all_of_it(site: Site, followed: Followed) -> None:
    own = [event for event in followed.events if event["type"] != "ping"]
    assert [event["seq"] for event in own] == list(range(1, len(own) + 1))
    assert own[-1]["type"] == "done"
    assert "".join(event["text"] for event in own if event["type"] == "delta") == own[-1]["text"]
