"""Signed decisions: what a signature proves, and what differs where it does not."""

import base64
import hmac
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from agent_workers.proof import Decision, Keys, NoKey, verify
from agent_workers.proof.signature import canonical, parse
from tests.proof.transcripts import Lines, chained, places, report

PHPS = json.loads((Path(__file__).parent / "signed.json").read_text("utf-8"))
KEY = "k" * 32
KEYS = Keys([KEY])
ASKED = {
    "type": "permission_request",
    "permission_id": "p1",
    "tool_use_id": "t1",
    "name": "Bash",
    "input": {"command": "rm old.txt"},
    "expires_at": "2026-11-20T12:05:00.004Z",
}
QUESTION = {
    "type": "question",
    "question_id": "q1",
    "tool_use_id": "t2",
    "questions": [{"question": "Which?", "options": [], "multi": False}],
    "expires_at": "2026-11-20T12:05:00.004Z",
}


def signature(line: bytes, *, key: str = KEY, actor: str = "7", given: Any = None, **stated: str) -> str:
    """A signature as the page describes it, made without what checks it."""
    asked = json.loads(line)
    is_answer = asked["type"] == "question"
    statement = {
        "actor": actor,
        "behavior": "answer" if is_answer else "allow",
        "given": "-" if given is None else sha256(dumped(given)).hexdigest(),
        "id": asked["question_id" if is_answer else "permission_id"],
        "key": sha256(key.encode()).hexdigest()[:8],
        "run": asked["run"],
        "shown": sha256(line).hexdigest(),
        "time": "1795176300",
        "tool": "AskUserQuestion" if is_answer else asked["name"],
        "tool_use_id": asked["tool_use_id"],
        "type": "answer" if is_answer else "permission",
        "v": "1",
        **stated,
    }
    mac = hmac.new(key.encode(), dumped(statement), "sha256").hexdigest()
    named = sha256(actor.encode()).hexdigest()[:16] if actor else "-"
    return f"v1={statement['key']}:1795176300:{statement['shown']}:{statement['given']}:{named}:{mac}"


def dumped(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def decided(*, asked: dict[str, Any] = ASKED, told: dict[str, Any] | None = None, **signed: Any) -> Lines:
    """A chained run in which a person has decided, and the application has signed it."""
    start = {"type": "start", "worker": "agent-task"}
    first = chained(start, asked)
    is_answer = asked["type"] == "question"
    of = {"question_id": "q1"} if is_answer else {"permission_id": "p1", "behavior": "allow"}
    resolved = {"type": "question_resolved" if is_answer else "permission_resolved", **of, "by": "client", "actor": "7"}
    resolved |= {"signature": signature(first[1], **signed)} | (told or {})
    return chained_after(first, resolved, {"type": "done", "text": ""})


def chained_after(lines: Lines, *bodies: dict[str, Any]) -> Lines:
    """These lines, and others that go on in their chain."""
    result = list(lines)
    for body in bodies:
        envelope = {"v": 1, "seq": len(result) + 1, "run": "r1", "ts": "2026-11-20T12:00:00.000Z"}
        event = {**envelope, **body, "prev": sha256(result[-1]).hexdigest()}
        result.append(json.dumps(event, separators=(",", ":")).encode())
    return result


def rechained(lines: Lines) -> Lines:
    """What whoever can write the file makes of changed lines: a chain without a fault."""
    result: Lines = []
    for line in lines:
        event = json.loads(line) | {"prev": sha256(result[-1]).hexdigest() if result else "0" * 64}
        result.append(json.dumps(event, separators=(",", ":")).encode())
    return result


def states(lines: Lines, keys: Keys = KEYS) -> list[str]:
    return [decision.state for decision in report(lines, keys=keys).decisions]


def wrong(lines: Lines) -> str:
    """What is said of the one decision that is wrong."""
    told = report(lines, keys=KEYS)
    [fault] = [finding for finding in told.findings if finding.what == "decision"]
    assert [decision.state for decision in told.decisions] == ["wrong"]
    return f"{fault.line}: {fault.message}"


def test_a_decision_and_an_answer_are_proven_by_their_signatures() -> None:
    told = report(decided(), keys=KEYS)
    assert told.findings == []
    assert told.decisions == [
        Decision(3, "r1", "p1", "allow", "7", "proven", 1_795_176_300, sha256(KEY.encode()).hexdigest()[:8])
    ]
    assert states(decided(asked=QUESTION, given={"Which?": "A"})) == ["proven"]
    assert states(decided(given={"command": "ls"})) == ["proven"]
    assert states(decided(actor="", told={"actor": ""})) == ["proven"]


def test_a_changed_decision_is_named_in_a_chain_that_was_made_anew() -> None:
    lines = decided()
    lines[2] = lines[2].replace(b'"behavior":"allow"', b'"behavior":"deny"')
    assert places(rechained(lines)) == {}
    assert wrong(rechained(lines)) == "3: the decision was changed: allow was signed"


def test_a_changed_actor_is_named() -> None:
    lines = decided()
    lines[2] = lines[2].replace(b'"actor":"7"', b'"actor":"8"')
    assert wrong(rechained(lines)) == "3: the actor was changed: another one has signed"


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"rm old.txt", b"rm -r /"), (b'"name":"Bash"', b'"name":"Read"'), (b'"t1"', b'"t9"'), (b"12:05", b"13:05")],
)
def test_a_changed_question_is_named(before: bytes, after: bytes) -> None:
    lines = decided()
    lines[1] = lines[1].replace(before, after)
    assert "line 2, the question, is not what was shown" in wrong(rechained(lines))


def test_a_signature_holds_for_all_that_stands_before_the_question() -> None:
    lines = decided()
    lines[0] = lines[0].replace(b"agent-task", b"agent-chat")
    assert "line 2, the question, is not what was shown" in wrong(rechained(lines))


def test_a_signature_of_another_run_question_or_key_proves_nothing() -> None:
    lines = decided()
    assert "not one of this key" in wrong(decided(id="p9"))
    assert "not one of this key" in wrong(decided(run="r2"))
    assert "was not given" in wrong(decided(key="x" * 32))
    assert "form that is not known" in wrong(decided(told={"signature": "v2=anything"}))
    assert "does not stand before it" in wrong(rechained([lines[0], lines[2], lines[3]]))
    forged = json.loads(lines[2])["signature"][:-1]
    last = "0" if json.loads(lines[2])["signature"][-1] != "0" else "1"
    lines[2] = json.dumps(json.loads(lines[2]) | {"signature": forged + last}).encode()
    assert "not one of this key" in wrong(rechained(lines))


def test_a_decision_that_a_rule_overruled_is_still_the_one_that_was_signed() -> None:
    overruled = decided(told={"by": "policy", "behavior": "deny"})
    assert states(overruled) == ["proven"]
    assert report(overruled, keys=KEYS).findings == []


def test_without_a_key_signatures_are_told_and_not_checked_and_without_one_it_is_said() -> None:
    assert states(decided(), Keys()) == ["unchecked"]
    unsigned = json.loads(decided()[2])
    del unsigned["signature"]
    assert states(rechained([*decided()[:2], json.dumps(unsigned).encode()])) == ["unsigned"]
    by_timeout = {**unsigned, "by": "timeout"}
    assert states(rechained([*decided()[:2], json.dumps(by_timeout).encode()])) == []


def test_keys_may_be_turned_over() -> None:
    old = "base64:" + base64.b64encode(b"o" * 40).decode()
    assert states(decided(), Keys([old, "", f"{KEY}\n"])) == ["proven"]


@pytest.mark.parametrize("text", ["short", "base64:c2hvcnQ=", "base64:%%%", "x" * 31])
def test_what_is_no_key_is_refused_and_not_told(text: str) -> None:
    with pytest.raises(NoKey) as refused:
        Keys([text])
    assert text not in str(refused.value)


@pytest.mark.parametrize("text", [None, 7, "", "v1=", "v1=918c28f7:1:aa:-:-:bb", "V1" + PHPS["signed"]["allow"][2:]])
def test_another_form_is_no_signature(text: object) -> None:
    assert parse(text) is None


def test_what_php_signs_is_read_here() -> None:
    keys, signed = Keys([PHPS["key"]]), PHPS["signed"]
    of = {
        "allow": ("permission", {"behavior": "allow", "actor": "17"}),
        "deny": ("permission", {"behavior": "deny"}),
        "changed": ("permission", {"behavior": "allow", "actor": 'Jürgen "J"\n'}),
        "answers": ("question", {"actor": "17"}),
    }
    for name, (kind, said) in of.items():
        asked = PHPS[kind].encode()
        question = f"{kind}_id"
        event = {"v": 1, "seq": 3, "run": "r1", "ts": "2026-11-20T12:00:00.000Z", "type": f"{kind}_resolved", **said}
        event |= {question: json.loads(asked)[question], "by": "client", "signature": signed[name]}
        told = verify([asked + b"\n" + json.dumps(event).encode() + b"\n"], keys)
        assert [decision.state for decision in told.decisions] == ["proven"], name
    for name, given in (("changed", PHPS["updated_input"]), ("answers", PHPS["answers"])):
        read = parse(signed[name])
        assert read
        assert read.given == sha256(canonical(given)).hexdigest()
