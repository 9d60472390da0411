"""The routes that start runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.gateway.access import claims_of
from agent_workers.gateway.bodies import SkillBody, StartBody, read_body
from agent_workers.gateway.composing import composed, preset_for
from agent_workers.gateway.feed import Place
from agent_workers.gateway.following import format_of, stream
from agent_workers.gateway.outcome import outcome_of
from agent_workers.gateway.refusal import Refusal, busy, invalid, of_ending

if TYPE_CHECKING:
    from agent_workers.gateway.claims import Claims
    from agent_workers.gateway.exchange import Exchange
    from agent_workers.gateway.feed import Feed
    from agent_workers.gateway.gateway import Gateway


async def start(gateway: Gateway, exchange: Exchange) -> None:
    """Starts a run and streams it; where JSON is asked for, says where the run is."""
    claims, body = await _asked(gateway, exchange, StartBody)
    wants_json = _prefers_json(exchange.headers.get("accept", ""))
    name = format_of(exchange)
    if wants_json:
        feed = await _begun(gateway, exchange, claims, body)
        state = "running" if gateway.settings.redis is None else "queued"
        links = gateway.links(feed.run)
        answer = {"run": feed.run, "state": state, **links}
        await exchange.json(202, answer, {"x-agent-run": feed.run, "location": links["status"]})
        return
    with gateway.streams.slot(claims.owner, exchange.address):
        feed = await _begun(gateway, exchange, claims, body)
        await stream(gateway, exchange, feed, name, Place())


async def run_skill(gateway: Gateway, exchange: Exchange) -> None:
    """Runs a skill, and answers with its output."""
    skill = exchange.path["name"]
    claims, body = await _asked(gateway, exchange, SkillBody)
    with gateway.streams.slot(claims.owner, exchange.address):
        feed = await _begun(gateway, exchange, claims, body, skill)
        last = await outcome_of(feed, exchange.connection)
    if last is None:
        return  # whoever asked has gone
    if last["type"] != "done":
        refusal = of_ending(last)
        await exchange.json(refusal.status, refusal.body(), {**refusal.headers(), "x-agent-run": feed.run})
        return
    if "output" not in last:
        raise Refusal(502, "no_output", "The skill has answered without an output.")
    review = last.get("needs_review")
    more = {} if review is None else {"x-agent-needs-review": "true" if review else "false"}
    await exchange.json(200, last["output"], {"x-agent-run": feed.run, **more})


async def _asked(gateway: Gateway, exchange: Exchange, model: Any) -> tuple[Claims, Any]:
    """Returns who asks, and for what: the token first, so that nobody else's body is read."""
    claims = claims_of(exchange, gateway.tokens)
    if gateway.is_leaving:
        raise busy("The server restarts. Try again in a moment.", after_ms=1000)
    limits = gateway.settings.limits
    data = await exchange.body(limits.body, limits.body_s)
    body = read_body(data, model)
    prompt = getattr(body, "prompt", None)
    if prompt is not None and len(prompt) > limits.prompt:
        raise invalid({"prompt": [f"The prompt is longer than {limits.prompt} characters."]})
    return claims, body


async def _begun(gateway: Gateway, exchange: Exchange, claims: Claims, body: Any, skill: str | None = None) -> Feed:
    settings = gateway.settings
    preset, chosen = preset_for(settings.preset, claims, skill)
    made = composed(preset, chosen, claims, body, trace=exchange.headers.get("traceparent", ""))
    await gateway.tokens.spend(claims)
    feed = await gateway.runs.start(made, claims.owner)
    gateway.meters.started(preset.worker)
    return feed


def _prefers_json(accepted: str) -> bool:
    return accepted.partition(",")[0].partition(";")[0].strip().lower() == "application/json"
