"""The routes by which people stop runs, answer them, and say a word to their agents."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from agent_workers.gateway.access import claims_of
from agent_workers.gateway.bodies import AnswersBody, PermissionBody, SteerBody, read_body
from agent_workers.gateway.following import own_run
from agent_workers.gateway.questions import check_answers, decision, expiry, over
from agent_workers.gateway.refusal import Refusal, invalid
from agent_workers.workers.base import VISIBLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_workers.gateway.claims import Claims
    from agent_workers.gateway.exchange import Exchange
    from agent_workers.gateway.gateway import Gateway

_ACTOR = 128
_LONGEST_S = 7 * 24 * 3600


async def abort(gateway: Gateway, exchange: Exchange) -> None:
    """Stops a run: it ends with ``aborted``, wherever it is followed."""
    claims, run, _ = await _told(gateway, exchange)
    await gateway.runs.tell(run, claims.owner, {"type": "abort"})
    await exchange.answer(204)


async def permission(gateway: Gateway, exchange: Exchange) -> None:
    """Takes a decision on a call."""
    claims, run, data = await _told(gateway, exchange)
    body = read_body(data, PermissionBody)
    name = exchange.path["permission"]
    asked = (await gateway.runs.questions(run, claims.owner)).open("permission_id", name)
    fields = decision(asked, body.behavior, body.message)
    message = {"type": "permission", "permission_id": name, **fields, **_actor(claims)}
    await _answer_once(gateway, claims, run, key=("permission_id", name), asked=asked, message=message)
    await exchange.answer(204)


async def answers(gateway: Gateway, exchange: Exchange) -> None:
    """Takes answers to questions of the agent."""
    claims, run, data = await _told(gateway, exchange)
    body = read_body(data, AnswersBody)
    name = exchange.path["question"]
    asked = (await gateway.runs.questions(run, claims.owner)).open("question_id", name)
    check_answers(asked, body.answers)
    message = {"type": "answer", "question_id": name, "answers": body.answers, **_actor(claims)}
    await _answer_once(gateway, claims, run, key=("question_id", name), asked=asked, message=message)
    await exchange.answer(204)


async def steer(gateway: Gateway, exchange: Exchange) -> None:
    """Says a word to the agent of a run."""
    claims, run, data = await _told(gateway, exchange)
    text = read_body(data, SteerBody).text
    if not VISIBLE.search(text):
        raise invalid({"text": ["There is nothing to say to the agent. Pass a text."]})
    if len(text) > gateway.settings.limits.prompt:
        raise invalid({"text": [f"The text is longer than {gateway.settings.limits.prompt} characters."]})
    name = f"steer-{uuid4()}"
    await gateway.runs.tell(run, claims.owner, {"type": "steer", "id": name, "text": text, **_actor(claims)})
    await exchange.json(202, {"id": name})


async def _told(gateway: Gateway, exchange: Exchange) -> tuple[Claims, str, bytes]:
    claims = claims_of(exchange, gateway.tokens)
    run = own_run(exchange, claims)
    limits = gateway.settings.limits
    return claims, run, await exchange.body(limits.body, limits.body_s)


async def _answer_once(
    gateway: Gateway,
    claims: Claims,
    run: str,
    *,
    key: tuple[str, str],
    asked: Mapping[str, Any],
    message: Mapping[str, Any],
) -> None:
    """Of two answers the first one counts: who comes second is told so."""
    kind, name = key
    claimed = name if kind == "permission_id" else f"question:{name}"
    if not await gateway.runs.claim(run, claimed, min(expiry(asked), time.time() + _LONGEST_S)):
        raise over()
    questions = await gateway.runs.questions(run, claims.owner)
    questions.open(kind, name)  # nobody has answered meanwhile
    questions.take(kind, name)
    try:
        await gateway.runs.tell(run, claims.owner, message)
    except Refusal:
        questions.give_back(kind, name)
        await gateway.runs.give_back(run, claimed)
        raise over() from None


def _actor(claims: Claims) -> dict[str, str]:
    return {"actor": claims.sub[:_ACTOR]}
