"""Runs over a pool whose parts are killed at random.

``python -m tests.pool.chaos --runs 300`` tells the figures of many.
"""

import json
import re
import signal
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from agent_workers.simulator import Simulator, running_simulator
from tests.e2e.conftest import home_at
from tests.e2e.stream import TERMINAL
from tests.e2e.worker import SCRIPTS, Home, command_of
from tests.pool.served import CHAT, Client, ServedPool, family_of, kill, members_of
from tests.waiting import PATIENCE_S, until

_CANARY = re.compile(rb"canary-(\w+)-\d+-end")
_CONVERSATIONS = 6
_KILLS = {"worker": 5, "cli": 5, "standstill": 3, "forkserver": 2, "server": 1, "stop": 1, "reload": 1}
_CLIENT = ("read", "read", "read", "leave", "abort", "command", "killed command")


class Chaos:
    """Conversations with a pool, and somebody who kills.

    Args:
        pool: The pool.
        seed: What the random choices follow from.

    Attributes:
        outcomes: How the runs have ended.
        ways: What served them.
        kills: What was killed.
        faults: What must not be.
    """

    def __init__(self, pool: ServedPool, seed: int) -> None:
        self._pool = pool
        self._random = Random(seed)
        self._lock = threading.Lock()
        self._left = 0
        self._done = threading.Event()
        self.outcomes: Counter[str] = Counter()
        self.ways: Counter[str] = Counter()
        self.kills: Counter[str] = Counter()
        self.faults: list[str] = []
        self._does = {name: getattr(self, f"_{name}") for name in _KILLS}

    def run(self, runs: int) -> None:
        """Has so many runs, some at once, while parts are killed."""
        self._left = runs
        with ThreadPoolExecutor(_CONVERSATIONS + 1) as threads:
            killer = threads.submit(self._kill_on)
            talking = [threads.submit(self._talk, f"{self._random.getrandbits(48):x}") for _ in range(_CONVERSATIONS)]
            try:
                for each in talking:
                    each.result()
            finally:
                self._done.set()
            killer.result(PATIENCE_S)

    # Conversations

    def _talk(self, name: str) -> None:
        session: str | None = None
        random = Random(name)
        number = 0
        while self._takes_one():
            number += 1
            if session is None:
                name = f"{random.getrandbits(48):x}"
            behaviour = random.choice(_CLIENT)
            scenario = "[[scenario:slow]]" if behaviour in {"leave", "abort", "killed command"} else ""
            request: dict[str, Any] = {"prompt": f"canary-{name}-{number}-end {scenario}"}
            if session and random.random() < 0.6:
                request["session"] = {"resume": session}
            elif session:
                session, name = None, f"{random.getrandbits(48):x}"
                request["prompt"] = f"canary-{name}-{number}-end {scenario}"
            if random.random() < 0.2:
                request["max_turns"] = 5  # what no agent is started ahead for
            session = self._judge(name, behaviour, self._output(behaviour, request, random.uniform(0, 1.5)))

    def _takes_one(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left >= 0

    def _output(self, behaviour: str, request: dict[str, Any], after_s: float) -> bytes:
        if behaviour.endswith("command"):
            return self._of_command(request, after_s if behaviour.startswith("killed") else None)
        client = until(self._connected)
        client.send(CHAT, request)
        if behaviour == "leave":
            self._pause(after_s)
            client.close()
            return b""
        if behaviour == "abort":
            self._pause(after_s)
            client.send({"type": "abort", "id": "a"})
        output = client.rest()
        client.close()
        return output

    def _connected(self) -> Client | None:
        with suppress(OSError):
            return Client(self._pool.path)
        return None

    def _of_command(self, request: dict[str, Any], killed_after_s: float | None) -> bytes:
        environ = self._pool.home.environ | {"AGENT_WORKERS_POOL": str(self._pool.path)}
        command = [str(SCRIPTS / "agent-chat")]
        with subprocess.Popen(
            command,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._pool.home.root,
        ) as process:
            assert process.stdin
            with suppress(BrokenPipeError):
                process.stdin.write(json.dumps(request).encode())
                process.stdin.close()
            if killed_after_s is not None:
                self._pause(killed_after_s)
                process.kill()
                return b""
            assert process.stdout
            output = process.stdout.read()
        return output + b'{"pool": 1, "exit": %d}\n' % process.returncode

    def _judge(self, name: str, behaviour: str, output: bytes) -> str | None:
        """Checks the output of a run; returns its session where it was answered."""
        others = set(_CANARY.findall(output)) - {name.encode()}
        if others:
            self.faults.append(f"{name} has read of {others}: {output!r}")
        lines = [line for line in output.splitlines(keepends=True) if line.endswith(b"\n")]
        events = [json.loads(line) for line in lines]
        last = events.pop() if events and events[-1].keys() == {"pool", "exit"} else None
        terminal = [event for event in events if event["type"] in TERMINAL]
        if len(terminal) > 1 or (last and not terminal) or (terminal and events[-1] is not terminal[0]):
            self.faults.append(f"{name}, {behaviour}: {output!r}")
        if events and "warm" in events[0]:
            self.ways[events[0]["warm"]] += 1
        outcome = (terminal[0].get("code") or terminal[0]["type"]) if terminal else "closed"
        self.outcomes["left" if behaviour in {"leave", "killed command"} else outcome] += 1
        if outcome == "done" and f"canary-{name}" not in terminal[0]["text"]:
            self.faults.append(f"{name} was answered {terminal[0]['text']!r}")
        return terminal[0]["session_id"] if outcome == "done" else None

    # Kills

    def _kill_on(self) -> None:
        while not self._done.is_set():
            self._pause(self._random.uniform(0.2, 1.2))
            what = self._random.choices(tuple(_KILLS), tuple(_KILLS.values()))[0]
            if self._does[what]():
                self.kills[what] += 1

    def _member(self) -> int | None:
        pids = [member["pid"] for member in self._pool.status["pools"]["default"]["processes"]]
        return self._random.choice(pids) if pids else None

    def _worker(self) -> bool:
        if pid := self._member():
            kill(pid)
        return pid is not None

    def _cli(self) -> bool:
        if not (pid := self._member()):
            return False
        for child in family_of(pid)[1:]:
            command = command_of(child)
            if command and b"agent_workers" not in command:  # not what watches over it
                kill(child)
                return True
        return False

    def _standstill(self) -> bool:
        if pid := self._member():
            kill(pid, signal.SIGSTOP)
            self._pause(self._random.uniform(0.1, 2))
            kill(pid, signal.SIGCONT)
        return pid is not None

    def _forkserver(self) -> bool:
        kill(self._pool.forkserver)
        return True

    def _server(self) -> bool:
        self._pool.signal(signal.SIGKILL)
        self._pool.process.wait(PATIENCE_S)
        self._pool.start()
        return True

    def _stop(self) -> bool:
        assert self._pool.stop() == 0
        self._pool.start()
        return True

    def _reload(self) -> bool:
        self._pool.signal(signal.SIGHUP)
        return True

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        until(lambda: time.monotonic() > end or self._done.is_set())


def mixed(simulator: Simulator) -> list[set[bytes]]:
    """Of which conversations a request to the API holds something, for each that holds something of several."""
    found = [set(_CANARY.findall(json.dumps(record.body).encode())) for record in simulator.requests("/v1/messages")]
    return [names for names in found if len(names) > 1]


def main() -> None:
    """Tells the figures of a run of it."""
    parser = ArgumentParser()
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with TemporaryDirectory() as folder, running_simulator() as simulator, home_at(Path(folder), simulator) as home:
        began = time.monotonic()
        chaos = chaos_over(home, asked.seed, asked.runs)
        lines = [f"{asked.runs} runs in {time.monotonic() - began:.0f} s; seed {asked.seed}"]
        lines += [f"{name}: {dict(getattr(chaos, name))}" for name in ("outcomes", "ways", "kills")]
        lines += [f"faults: {len(chaos.faults)}, API requests of two: {len(mixed(simulator))}", *chaos.faults]
    sys.stdout.write("\n".join(lines) + "\n")


def chaos_over(home: Home, seed: int, runs: int) -> Chaos:
    """Has so many runs over a pool of four; it is whole again at the end, and stopped."""
    config = home.root / "pool.toml"
    config.write_text("stop_s = 2\n[pool.default]\nmin_idle = 2\nmax = 4\n", "utf-8")
    pool = ServedPool(home, "--config", str(config))
    try:
        chaos = Chaos(pool, seed)
        chaos.run(runs)
        until(lambda: len(members_of(pool, "idle")) == 2, what=lambda: (pool.status, pool.log))
        for _ in range(4):
            until(lambda: members_of(pool, "idle"), what=lambda: (pool.status, pool.log))
            run = pool.run({"prompt": "Hello"})
            if (run.events[0]["warm"], run.last["type"]) != ("warm", "done"):
                chaos.faults.append(f"afterwards: {run.events}")
    finally:
        pool.stop()
    return chaos


if __name__ == "__main__":
    main()
