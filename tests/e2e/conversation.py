"""A program that serves the runs of one conversation in one process: its agent stays from one message to the next.

Each line on stdin is a command, and a line on stdout, behind the events of a run, says what came of it:
``{"request": …}`` is a run, ``{"look": …}`` a request that is only looked at, ``{"wait": true}`` has the agent wait
until something happens to it, and ``{"end": true}`` ends it.
"""

import gc
import json
import os
import select
import sys
import time
import uuid
from typing import Any

import anyio

from agent_workers.admission import accept
from agent_workers.ending import failed
from agent_workers.engine.base import WorkerDefaults
from agent_workers.engine.claude import Environment, start_agent
from agent_workers.engine.claude.engine import ClaudeEngine
from agent_workers.engine.claude.live import LiveAgent
from agent_workers.errors import WorkerError
from agent_workers.protocol.v1.control import Abort, parse_control
from agent_workers.protocol.v1.progress import Start
from agent_workers.run import Run
from agent_workers.wire import Encoder
from agent_workers.workers import WORKERS

_PATIENCE_S = 120
NOBODY = "Nobody"
"""The header of a question that nobody answers."""
WORKER = WORKERS["agent-chat"]
DEFAULTS = WorkerDefaults(WORKER.name, WORKER.system_prompt, WORKER.max_turns)


def reply(event: dict[str, Any]) -> dict[str, Any] | None:
    """What the application says to an event: its tools all say the same, and its user takes what comes first."""
    if event["type"] == "app_tool_call":
        return {"type": "app_tool_result", "id": "1", "call_id": event["call_id"], "content": "Berlin"}
    if event["type"] == "question" and event["questions"][0]["header"] != NOBODY:
        answers = {each["question"]: each["options"][0]["label"] for each in event["questions"]}
        return {"type": "answer", "id": "1", "question_id": event["question_id"], "answers": answers}
    return None


class Stdout:
    """Where the lines of a run go; also the application, whose tools all say the same."""

    def __init__(self, engine: ClaudeEngine) -> None:
        self._engine = engine

    async def send(self, line: bytes) -> None:
        os.write(1, line)
        if said := reply(json.loads(line)):
            message = parse_control(json.dumps(said).encode())
            assert not isinstance(message, Abort)
            self._engine.answer(message)  # and nobody is told that it was taken


class Conversation:
    """The runs of one conversation, one after the other."""

    def __init__(self) -> None:
        self._environment = Environment(dict(os.environ))
        self.agent: LiveAgent | None = None

    def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        if "request" in command:
            return self._run(command["request"])
        assert self.agent
        if "look" in command:
            environment = Environment({**os.environ, **command.get("environ", {})})
            return {"misfit": self.agent.misfit(_accepted(command["look"]), environment)}
        if "wait" in command:
            select.select(self.agent.descriptors, [], [], _PATIENCE_S)
        usable = self.agent.drain()
        if "end" in command or not usable:
            self.agent.end()
            self.agent = None
        return {"usable": usable}

    def _run(self, document: dict[str, Any]) -> dict[str, Any]:
        gc.disable()  # as a worker does until its run begins
        began = time.monotonic()
        request = _accepted(document).model_copy(update={"run": str(uuid.uuid4())})
        encoder = Encoder(request.run)
        agent, self.agent = self.agent, None
        misfit = agent.misfit(request, self._environment) if agent else "none"
        _send(encoder, Start(worker=WORKER.name, worker_version="0", sdk_version="0", simulated=False))
        if agent and misfit:
            agent.end()
        try:
            if agent and not misfit:
                engine = agent.hand_over(request, self._environment, keep=True)
            else:
                engine = start_agent(request, self._environment, DEFAULTS, keep=True)
        except WorkerError as error:
            _send(encoder, failed(error))
            return {"misfit": misfit, "kept": False, "status": error.exit_status}

        async def drive() -> int:
            return await Run(request, engine, encoder, Stdout(engine), began=began).drive()

        status = anyio.run(drive)
        if engine.kept:
            self.agent = LiveAgent(engine.kept, request, DEFAULTS)
        return {"misfit": misfit, "kept": self.agent is not None, "status": status}


def _accepted(document: dict[str, Any]) -> Any:
    return accept(WORKER, document, control=True)


def _send(encoder: Encoder, body: Any) -> None:
    for line in encoder.lines(body.to_wire()):
        os.write(1, line)


def main() -> None:
    conversation = Conversation()
    try:
        for line in sys.stdin:
            told = conversation.obey(json.loads(line))
            os.write(1, json.dumps(told).encode() + b"\n")
    finally:
        if conversation.agent:
            conversation.agent.end()


if __name__ == "__main__":
    main()
