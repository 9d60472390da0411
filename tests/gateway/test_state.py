"""What a gateway keeps in files stays whole, whatever a stranger's machine tells of a run."""

import sqlite3
from http.client import HTTPConnection
from pathlib import Path

import pytest

from agent_workers.gateway.conversations import Conversations
from agent_workers.gateway.outbox import Outbox
from agent_workers.gateway.owner import Owner
from agent_workers.gateway.webhook_message import name_of

VICTIM, ATTACKER = Owner("victim", None), Owner("attacker", None)


def test_a_session_that_another_user_tells_of_takes_no_conversation(tmp_path: Path) -> None:
    conversations = Conversations(tmp_path / "conversations.sqlite")
    conversations.begin("v", VICTIM, "run-1")
    conversations.note("v", VICTIM, "run-1", {"type": "session", "session_id": "v"})
    conversations.end("v", VICTIM, "run-1")
    conversations.begin("a", ATTACKER, "run-2")
    conversations.note("a", ATTACKER, "run-2", {"type": "session", "session_id": "v"})
    assert conversations.begin("v", VICTIM, "run-3") == {"session": {"resume": "v"}}
    assert conversations.at_work("v", VICTIM) == "run-3"
    conversations.end("a", ATTACKER, "run-2")
    assert conversations.begin("v", ATTACKER, "run-4") == {"session": {"resume": "v"}}, "its own, which is called a"
    conversations.close()


def test_a_webhook_that_cannot_be_kept_keeps_no_other_out(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "webhooks.sqlite")
    with pytest.raises((UnicodeEncodeError, sqlite3.Error)):
        outbox.put("r.\ud800", b"{}")
    outbox.put("r.end", b"{}")
    assert [waiting.id for waiting in outbox.due(5)] == ["r.end"]
    outbox.close()


@pytest.mark.parametrize("asked", ["p-1", "a\r\nb: c", "€", "\ud800", "x" * 2000, ""])
def test_the_id_of_a_webhook_is_a_header_whatever_was_asked(asked: str) -> None:
    name = name_of("r-1", {"type": "permission_request", "permission_id": asked})
    assert name.startswith("r-1.")
    connection = HTTPConnection("127.0.0.1")
    connection.putrequest("POST", "/")
    connection.putheader("webhook-id", name)
    connection.close()


def test_the_id_of_a_plain_question_stands_in_that_of_its_webhook() -> None:
    assert name_of("r-1", {"type": "question", "question_id": "q:1_a-b"}) == "r-1.q:1_a-b"
