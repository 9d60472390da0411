"""The HTTP side: the API's paths, and the simulator's own under ``/_simulator``."""

from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from agent_workers.simulator.api_request import ApiRequest, MalformedRequestError, estimated_tokens
from agent_workers.simulator.batch_api import BatchApi
from agent_workers.simulator.batches import Batches
from agent_workers.simulator.conversation import Conversations
from agent_workers.simulator.journal import Journal, Record
from agent_workers.simulator.limiter import Verdict
from agent_workers.simulator.recorder import BESIDE, OWN, Recorder
from agent_workers.simulator.reply import compose
from agent_workers.simulator.scenario import Failure, Page, Stall
from agent_workers.simulator.scenario_file import UnknownScenarioError, load_scenario, load_shipped, scenario_names
from agent_workers.simulator.streaming import JSON, Silence, failed, failure, page, replied


def build_app(conversations: Conversations, batches: Batches, journal: Journal) -> ASGIApp:
    """Returns the ASGI app that answers for the API and keeps the journal."""
    control = Control(conversations, journal)
    app = Starlette(
        routes=[
            Route("/v1/messages", Messages(conversations), methods=["POST"]),
            Route("/v1/messages/count_tokens", count_tokens, methods=["POST"]),
            *BatchApi(batches).routes(),
            # The CLI checks with HEAD, before its first message, that the API is there.
            Route("/", hello, methods=["GET", "HEAD"]),
            Route("/api/hello", hello, methods=["GET", "HEAD"]),
            Route(OWN + "health", control.health),
            Route(OWN + "requests", control.requests),
            Route(OWN + "scenarios", control.scenarios),
            Route(OWN + "scenario", control.switch, methods=["POST"]),
        ],
        exception_handlers={HTTPException: refuse, Exception: confess},
    )
    return Recorder(app, journal)


class Messages:
    """``POST /v1/messages``: finds the step for a request and plays it."""

    def __init__(self, conversations: Conversations) -> None:
        self.conversations = conversations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, if the scenario's limit lets it pass."""
        limiter = self.conversations.limiter
        verdict = limiter.ask() if limiter else Verdict(passes=True)
        answer = self._answer if verdict.passes else self._refusal
        scope[BESIDE] = verdict.headers
        await answer(scope)(scope, receive, send)

    def _refusal(self, scope: Scope) -> ASGIApp:
        scope["record"].scenario = self.conversations.scenario.name
        return failure(429, "rate_limit_error", "This request would exceed your organization's rate limit.")

    def _answer(self, scope: Scope) -> ASGIApp:
        record: Record = scope["record"]
        try:
            request = ApiRequest(record.headers, record.body)
            cue = self.conversations.cue(request)
        except (MalformedRequestError, UnknownScenarioError) as problem:
            return failure(400, "invalid_request_error", str(problem))
        record.scenario, record.call = cue.scenario, cue.call
        if isinstance(cue.step, Failure):
            return failed(cue.step)
        if isinstance(cue.step, Page):
            return page(cue.step)
        if isinstance(cue.step, Stall):
            return Silence(record)
        scope[BESIDE] = {**scope[BESIDE], **cue.step.headers}
        reply = compose(cue.step, request, cue.call)
        record.usage = reply.message["usage"]
        return replied(cue.step, reply, record, streaming=request.streaming)


class Control:
    """The simulator's own paths: its state, and switching its scenario."""

    def __init__(self, conversations: Conversations, journal: Journal) -> None:
        self.conversations = conversations
        self.journal = journal

    async def health(self, request: Request) -> Response:
        """Returns ``{"status": "ok", "scenario": …, "requests": …}``."""
        scenario = self.conversations.scenario.name
        return JSON({"status": "ok", "scenario": scenario, "requests": self.journal.count})

    async def requests(self, request: Request) -> Response:
        """Returns the journal, oldest first, as a list of records."""
        return JSON(self.journal.as_json())

    async def scenarios(self, request: Request) -> Response:
        """Returns the shipped scenarios, ``{name: description}``."""
        return JSON({name: load_scenario(name).description for name in scenario_names()})

    async def switch(self, request: Request) -> Response:
        """Switches the server to the shipped scenario of the body's ``name``."""
        body = request.scope["body"]
        try:
            self.conversations.switch(load_shipped(str(body["name"])))
        except UnknownScenarioError as problem:
            raise HTTPException(404, str(problem)) from problem
        except (TypeError, KeyError) as problem:
            raise HTTPException(400, 'The body must be {"name": …}.') from problem
        return await self.health(request)


async def count_tokens(request: Request) -> Response:
    """Returns ``{"input_tokens": …}``, an estimate."""
    return JSON({"input_tokens": estimated_tokens(request.scope["body"])})


async def hello(request: Request) -> Response:
    """Answers the CLI's check that the API is there."""
    return JSON({"message": "hello"})


async def refuse(request: Request, problem: Exception) -> Response:
    """Answers an unknown path or method in the API's shape."""
    status, detail = (problem.status_code, problem.detail) if isinstance(problem, HTTPException) else (500, "")
    kind = "not_found_error" if status in {404, 405} else "invalid_request_error"
    asked = f": {request.method} {request.url.path}" if detail == HTTPStatus(status).phrase else ""
    return failure(status, kind, detail + asked)


async def confess(request: Request, problem: Exception) -> Response:
    """Answers with a defect of the simulator itself, which is logged nowhere else."""
    return failure(500, "api_error", f"The simulator failed: {problem!r}")
