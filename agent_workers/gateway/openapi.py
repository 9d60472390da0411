"""The routes as an OpenAPI 3.1 document, made of the models that read and write their bodies."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from agent_workers import __version__
from agent_workers.convert import FORMATS
from agent_workers.gateway.bodies import (
    AcceptedBody,
    AnswersBody,
    PermissionBody,
    RefusalBody,
    SkillBody,
    StartBody,
    StatusBody,
    SteerBody,
    Steered,
)
from agent_workers.protocol.v1.fields import RUN_ID

_MODELS = (AcceptedBody, AnswersBody, PermissionBody, RefusalBody, SkillBody, StartBody, StatusBody, SteerBody, Steered)
_REF = "#/components/schemas/{model}"
_ABOUT = (
    "Starts runs of agents for browsers that bring a token of the application, and streams their events as server-sent "
    "events; the events are those of schemas/v1 of agent-workers."
)
_EVENTS = (
    "Server-sent events. In the format native each frame has the event's type as `event`, the event of the contract as "
    "`data`, and `{run}:{seq}` as `id`, in a later attempt of the run `{run}:{attempt}-{seq}`."
)
Json = dict[str, Any]


def page(public_url: str | None = None) -> Json:
    """Returns the document.

    Args:
        public_url: Where the gateway is reached from outside; None for where the document comes from.
    """
    _, defined = models_json_schema([(model, "validation") for model in _MODELS], ref_template=_REF)
    return {
        "openapi": "3.1.0",
        "info": {"title": "agent-workers gateway", "version": __version__, "description": _ABOUT},
        "servers": [{"url": public_url or "/"}],
        "security": [{"token": []}],
        "paths": _paths(),
        "components": {
            "schemas": defined["$defs"],
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "reading": {"type": "apiKey", "in": "query", "name": "token"},
            },
        },
    }


def _paths() -> Json:
    stream = {"description": _EVENTS, "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    accepted = _told("The run has begun, where JSON is preferred to a stream.", AcceptedBody)
    started = {"200": {**stream, "headers": _RUN_HEADER}, "202": accepted}
    output = {"description": "The skill's output.", "content": {"application/json": {"schema": {}}}}
    nothing = {"204": {"description": "It is done."}}
    over = {"204": {"description": "The run has ended, and the reader has all of it."}}
    last = {"name": "Last-Event-ID", "in": "header", "schema": {"type": "string"}, "description": "Goes on after it."}
    reading: Json = {"security": [{"token": []}, {"reading": []}]}
    return {
        "/v1/runs": {"post": _operation("startRun", "Starts a run, and streams it", started, StartBody, [_FORMAT])},
        "/v1/runs/{run}": {
            "get": _operation(
                "runStatus", "Tells how far a run is", {"200": _told("Its status.", StatusBody)}, None, [_RUN]
            )
        },
        "/v1/runs/{run}/events": {
            "get": _operation(
                "runEvents", "Goes on with a run's events", {"200": stream, **over}, None, [_RUN, _FORMAT, last]
            )
            | reading
        },
        "/v1/runs/{run}/abort": {"post": _operation("abortRun", "Stops a run", nothing, None, [_RUN])},
        "/v1/runs/{run}/permissions/{permission}": {
            "post": _operation("decide", "Decides on a call", nothing, PermissionBody, [_RUN, _named("permission")])
        },
        "/v1/runs/{run}/answers/{question}": {
            "post": _operation("answer", "Answers the agent", nothing, AnswersBody, [_RUN, _named("question")])
        },
        "/v1/runs/{run}/steer": {
            "post": _operation(
                "steer", "Says a word to the agent", {"202": _told("It is on its way.", Steered)}, SteerBody, [_RUN]
            )
        },
        "/v1/skills/{name}": {
            "post": _operation("runSkill", "Runs a skill", {"200": output}, SkillBody, [_named("name")])
        },
    }


def _operation(name: str, summary: str, answers: Json, body: Any, parameters: list[Json]) -> Json:
    refused = _told("Refused: `code` says why.", RefusalBody)
    found: Json = {
        "operationId": name,
        "summary": summary,
        "parameters": parameters,
        "responses": {**answers, "default": refused},
    }
    if body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": _schema(body)}}}
    return found


def _told(words: str, model: Any) -> Json:
    return {"description": words, "content": {"application/json": {"schema": _schema(model)}}}


def _schema(model: Any) -> Json:
    return {"$ref": _REF.format(model=model.__name__)}


def _named(name: str, **schema: Any) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", **schema}}


_RUN = _named("run", pattern=RUN_ID)
_FORMAT = {"name": "format", "in": "query", "schema": {"enum": list(FORMATS)}, "description": "Of the stream."}
_RUN_HEADER = {"X-Agent-Run": {"schema": {"type": "string"}, "description": "The run's id."}}
