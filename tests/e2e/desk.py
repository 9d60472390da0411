"""A working directory, a model that follows a script, and an application that answers: tasks from end to end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent_workers.simulator import Scenario, Simulator
from agent_workers.simulator.scenario import Message, Text, ToolUse
from tests.e2e.stream import Event
from tests.e2e.worker import Ended, Home, Running

Reply = Callable[[Event], Event | None]


def call(name: str, /, **tool_input: Any) -> ToolUse:
    """A call of a tool by the model."""
    return ToolUse(name=name, input=tool_input)


def bash(command: str, **more: Any) -> ToolUse:
    return call("Bash", command=command, description="A command", **more)


IDLE: dict[str, Any] = {"limits": {"idle_timeout_s": 10}, "stream": {"ping_s": 1}}
"""Fields of a request that ends when nothing moves; a busy machine needs some of that time to start the agent."""
SOON_IDLE: dict[str, Any] = {"limits": {"idle_timeout_s": 1}, "stream": {"ping_s": 0.1}}
"""The same for a run that starts no agent."""


def longer_than_idle(event: Event, idle: dict[str, Any] = IDLE) -> bool:
    """Whether a `ping` tells that nothing was told for longer than the request of `IDLE` allows."""
    return event["type"] == "ping" and event["idle_ms"] > 1.2 * 1000 * idle["limits"]["idle_timeout_s"]


class Desk:
    """Where an agent works.

    Args:
        home: Where its worker lives.
        simulator: Plays the model.
    """

    def __init__(self, home: Home, simulator: Simulator) -> None:
        self.home = home
        self.simulator = simulator
        self.cwd = home.root / "work"
        self.cwd.mkdir(exist_ok=True)

    def script(self, *turns: ToolUse | list[ToolUse], end: str = "All done.") -> None:
        """Has the model make these calls, the ones in a list at once, and then say that it is done."""
        steps = [Message(content=tuple(turn if isinstance(turn, list) else [turn])) for turn in turns]
        last = Message(content=(Text(text=end),))
        self.simulator.play(Scenario(name="script", description="A test's.", steps=(*steps, last)))

    def request(self, **fields: Any) -> dict[str, Any]:
        return {"prompt": "Work.", "cwd": str(self.cwd), **fields}

    def start(self, *arguments: str, **options: Any) -> Running:
        return self.home.start(*arguments, worker="agent-task", **options)

    def run(
        self, *arguments: str, env: dict[str, str] | None = None, prefix: tuple[str, ...] = (), **fields: Any
    ) -> Ended:
        """Runs a task to its end; nobody answers."""
        return self.home.run(self.request(**fields), *arguments, worker="agent-task", env=env, prefix=prefix)

    def converse(self, reply: Reply, *, worker: str = "agent-task", **fields: Any) -> Ended:
        """Runs a task with somebody who may answer each event by a control message."""
        running = self.home.start("--control", worker=worker)
        request = self.request(**fields)
        if worker == "agent-chat":
            del request["cwd"]
        running.send(request)
        for event in running.told():
            if message := reply(event):
                running.send(message)
        return running.end()

    def told_to_the_model(self) -> list[str]:
        """The results of tools in the last call of the API, as texts."""
        last = self.simulator.requests("/v1/messages")[-1].body["messages"]
        blocks = [block for message in last if isinstance(message["content"], list) for block in message["content"]]
        return [_text(block["content"]) for block in blocks if block["type"] == "tool_result"]

    def file(self, name: str, content: str = "") -> Path:
        path = self.cwd / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
        return path


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)


def permit(event: Event, behavior: str = "allow", **more: Any) -> Event:
    """The answer to a `permission_request`."""
    return {
        "type": "permission",
        "id": f"answer-{event['permission_id']}",
        "permission_id": event["permission_id"],
        "behavior": behavior,
        **more,
    }


def give(event: Event, content: Any, **more: Any) -> Event:
    """The answer to an `app_tool_call`."""
    return {
        "type": "app_tool_result",
        "id": f"answer-{event['call_id']}",
        "call_id": event["call_id"],
        "content": content,
        **more,
    }


def results(ended: Ended) -> dict[str, Event]:
    """The results of the run's calls, by the input's first value or the tool's name."""
    calls = {event["tool_use_id"]: event for event in ended.of("tool_call")}
    return {_label(calls[event["tool_use_id"]]): event for event in ended.of("tool_result")}


def _label(event: Event) -> str:
    return str(next(iter(event["input"].values()), event["name"]))
