"""Streams: what a browser gets, byte for byte what the PHP bridge would send, and how it comes back."""

import json
from collections.abc import Callable

import pytest

from tests.convert.recorded import FILES, FRAMES
from tests.gateway.served import SETTINGS, Served
from tests.waiting import until

WHOLE = sorted(path for path in FILES if b'"type":"done"' in path.read_bytes() and path.parent.name == "transcripts")


@pytest.mark.parametrize("name", ["native", "ai-sdk", "ag-ui", "laravel"])
def test_recorded_runs_are_sent_in_the_frames_that_the_php_bridge_is_held_to(name: str, gateway: Served) -> None:
    for path in WHOLE:
        sent = gateway.run(f"play {path.stem}", query=f"?format={name}")
        golden = (FRAMES / name / f"{path.stem}.sse").read_bytes()
        assert sent.body == golden, path.stem


def test_a_stream_has_the_headers_of_the_bridge(gateway: Served) -> None:
    sent = gateway.run("echo", query="?format=ai-sdk")
    assert sent.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert sent.headers["cache-control"] == "no-cache, no-transform"
    assert sent.headers["x-accel-buffering"] == "no"
    assert sent.headers["x-vercel-ai-ui-message-stream"] == "v1"
    assert sent.headers["x-agent-run"] == json.loads(sent.body.split(b"data: ")[1].split(b"\n")[0])["messageId"]


def test_a_reader_goes_on_after_the_last_event_that_it_has(gateway: Served) -> None:
    first = gateway.run("many 20 10")
    run, whole = first.headers["x-agent-run"], first.events
    assert [event["seq"] for event in whole] == list(range(1, 24))
    rest = gateway.get(f"/v1/runs/{run}/events", Last_Event_ID=f"{run}:7")
    assert rest.events == whole[7:]
    assert rest.body.startswith(b'retry: 3000\n\n: ping\n\nevent: ping\ndata: {"type":"ping"}\n\n')
    assert gateway.get(f"/v1/runs/{run}/events").events == whole
    assert gateway.get(f"/v1/runs/{run}/events", Last_Event_ID="some-other-run:7").events == whole
    assert gateway.get(f"/v1/runs/{run}/events", Last_Event_ID=f"{run}:23").status == 204


def test_a_reader_of_another_format_gets_the_whole_run_again(gateway: Served) -> None:
    run = gateway.run("echo").headers["x-agent-run"]
    sent = gateway.get(f"/v1/runs/{run}/events?format=ai-sdk", Last_Event_ID=f"{run}:3")
    assert sent.body.endswith(b"data: [DONE]\n\n")
    assert gateway.get(f"/v1/runs/{run}/events?format=ai_sdk").json["code"] == "unknown_format"
    assert gateway.get(f"/v1/runs/{run}/events?format=").status == 200


def test_a_run_goes_on_when_its_reader_has_gone_and_many_may_follow_it(gateway: Served) -> None:
    with gateway.streaming("hold") as stream:
        stream.wait_for("delta")
        stream.close()
        with gateway.following(stream.run) as one, gateway.following(stream.run, after=f"{stream.run}:3") as other:
            assert one.wait_for("delta").json["text"] == "held"
            gateway.post(f"/v1/runs/{stream.run}/steer", {"text": "more"})
            assert one.wait_for("delta").json["text"] == "more"
            assert next(other.frames()).event == "ack"
            assert gateway.post(f"/v1/runs/{stream.run}/abort", {}).status == 204
            assert [frame.event for frame in one.frames()][-1] == "aborted"


def test_a_run_stops_when_its_last_reader_has_gone_where_that_is_wanted(serve: Callable[..., Served]) -> None:
    gateway = serve(f'on_disconnect = "abort"\n{SETTINGS}')
    with gateway.streaming("hold") as stream:
        stream.wait_for("delta")
        stream.close()
        until(lambda: gateway.get(f"/v1/runs/{stream.run}").json["state"] == "aborted")


def test_the_oldest_events_of_a_long_run_are_forgotten(serve: Callable[..., Served]) -> None:
    gateway = serve(f"{SETTINGS}\n[limits]\nrun_bytes = 20000\n")
    sent = gateway.run("many 200 1000")
    run = sent.headers["x-agent-run"]
    assert gateway.get(f"/v1/runs/{run}/events").json["code"] == "no_run"
    assert gateway.get(f"/v1/runs/{run}/events", Last_Event_ID=f"{run}:200").events[-1]["type"] == "done"
    assert b"kept_bytes 2" in gateway.get("/metrics").body or b"kept_bytes 1" in gateway.get("/metrics").body


def test_the_status_of_a_run_is_that_of_the_bridge(gateway: Served) -> None:
    done = gateway.run("echo")
    run = done.headers["x-agent-run"]
    status = gateway.get(f"/v1/runs/{run}")
    assert status.headers["cache-control"] == "no-store, private"
    links = {"status": f"/v1/runs/{run}", "events": f"/v1/runs/{run}/events"}
    begun, last = done.events[0], done.events[-1]
    assert status.json == {
        "run": run,
        "state": "done",
        "begun_at": begun["ts"],
        "ended_at": last["ts"],
        "event": last,
        **links,
    }
    failed = gateway.run("fail").headers["x-agent-run"]
    assert gateway.get(f"/v1/runs/{failed}").json["message"] == "The API is overloaded."


def test_who_prefers_json_is_told_where_the_run_is(gateway: Served) -> None:
    answer = gateway.post("/v1/runs", {"prompt": "echo"}, Accept="application/json")
    assert answer.status == 202
    assert answer.json["run"] == answer.headers["x-agent-run"]
    assert answer.headers["location"] == answer.json["status"]
    assert gateway.get(answer.json["events"]).events[-1]["type"] == "done"


def test_a_skill_answers_with_its_json_in_one_response(gateway: Served) -> None:
    token = gateway.token(preset=None, skill="deal-score")
    answer = gateway.post("/v1/skills/deal-score", {"input": {"deal": 7}}, token)
    assert (answer.status, answer.json["skill"], answer.json["input"]) == (200, "deal-score", {"deal": 7})
    assert answer.headers["x-agent-needs-review"] == "false"
    failed = gateway.post("/v1/skills/deal-score", {"input": {"do": "fail"}}, token)
    assert (failed.status, failed.json["code"], failed.json["retryable"]) == (503, "overloaded", True)
    assert (failed.headers["retry-after"], failed.json["retry_after_ms"]) == ("2", 1500)
    assert gateway.post("/v1/skills/other", {"input": {}}, token).json["code"] == "forbidden"


def test_a_conversation_goes_on_in_its_session_and_waits_for_nobody_else(gateway: Served) -> None:
    conversation = "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d35"
    first = gateway.run("echo", conversation=conversation).events
    second = gateway.run("echo", conversation=conversation).events
    assert [first[1]["resumed"], second[1]["resumed"]] == [False, True]
    assert second[-1]["output"]["session"] == {"resume": conversation}
    other = gateway.run("echo", gateway.token(sub="8"), conversation=conversation)
    assert (other.status, other.json["code"]) == (404, "session_not_found")
    assert gateway.run("echo", gateway.token(tenant="b"), conversation=conversation).status == 404


def test_two_runs_are_not_at_work_in_a_conversation_at_once(gateway: Served) -> None:
    conversation = "3f2b8c1e-5d0a-4c77-9a51-0e6f6b1f2d36"
    token = gateway.token(conversation=conversation)
    with gateway.streaming("hold", token) as stream:
        stream.wait_for("delta")
        busy = gateway.run("echo", token)
        assert (busy.status, busy.json["code"], busy.json["retryable"]) == (409, "session_busy", True)
        gateway.post(f"/v1/runs/{stream.run}/abort", {}, token)
        assert gateway.run("echo", token).events[-1]["output"]["session"] == {"resume": conversation}
