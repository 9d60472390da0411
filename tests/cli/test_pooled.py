"""A worker's command line that a pool serves."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from agent_workers.client import ProcessRunner, RunAborted
from tests.cli.conftest import SCRIPTS, Scripts
from tests.cli.pool import DELTA, DONE, HELLO, LAST, START, Call, Play, Pool, answer, line, pool_at, saying
from tests.e2e.stream import events_of
from tests.e2e.worker import catches
from tests.waiting import PATIENCE_S, until

REQUEST = b'{"prompt": "Hello"}'
ABORTED = {"type": "aborted", "reason": "signal"}
PoolAt = Callable[[Play], Pool]


@pytest.fixture
def pool_of(tmp_path: Path) -> Iterator[PoolAt]:
    with ExitStack() as pools:
        yield lambda play: pools.enter_context(pool_at(tmp_path / "pool.sock", play))


class Client:
    """A worker's command line while it runs."""

    def __init__(self, scripts: Scripts, *command: str) -> None:
        program, *arguments = command
        self._errors = scripts.home / "stderr"
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [SCRIPTS / program, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                bufsize=0,
                env=scripts.environ(),
            )
        assert self.process.stdin
        assert self.process.stdout
        self.stdin, self.stdout = self.process.stdin, self.process.stdout

    def give(self, data: bytes = REQUEST) -> None:
        """Writes the request and ends stdin."""
        with self.stdin:
            self.stdin.write(data)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self) -> tuple[bytes, bytes, int]:
        """Waits for the end; returns what is left of stdout, stderr and the exit status."""
        output = b"".join(iter(lambda: self.stdout.read(1 << 16), b""))
        return output, self._errors.read_bytes(), self.process.wait(PATIENCE_S)

    def close(self) -> None:
        """Leaves nothing behind."""
        self.process.kill()
        self.process.wait(PATIENCE_S)
        for stream in (self.stdin, self.stdout):
            stream.close()


@pytest.fixture
def client(scripts: Scripts) -> Iterator[Callable[..., Client]]:
    started: list[Client] = []

    def start(*command: str) -> Client:
        started.append(Client(scripts, *command))
        return started[-1]

    yield start
    for each in started:
        each.close()


# What the pool is told


@pytest.mark.parametrize(
    ("command", "variables", "told"),
    [
        (["agent-chat"], {}, {}),
        (["agent-task", "--control"], {}, {"control": True}),
        (["agent-tool"], {"AGENT_WORKERS_POOL_NAME": "small"}, {"name": "small"}),
        (["agent-chat", '--pool-name=käse "1"'], {"AGENT_WORKERS_POOL_NAME": "small"}, {"name": 'käse "1"'}),
        (["agent-skill", "partner-health", "--result"], {}, {"skill": "partner-health", "result": True}),
        (["agent-skill"], {}, {}),
    ],
)
def test_a_pool_is_told_what_the_command_line_says(
    scripts: Scripts, pool_of: PoolAt, command: list[str], variables: dict[str, str], told: dict[str, Any]
) -> None:
    pool = pool_of(saying(HELLO, LAST))
    ended = scripts(*command, given=REQUEST, env={"AGENT_WORKERS_POOL": pool.path, **variables})
    assert (ended.returncode, ended.stderr) == (0, "")
    [call] = pool.calls
    assert call.head == {"pool": 1, "worker": command[0], "size": len(REQUEST), **told}
    assert call.request == REQUEST


@pytest.mark.parametrize("option", [["--pool", "{}"], ["--pool={}"]])
def test_the_command_line_names_another_pool_than_the_environment(
    scripts: Scripts, pool_of: PoolAt, option: list[str]
) -> None:
    pool = pool_of(saying(HELLO, LAST))
    words = [word.format(pool.path) for word in option]
    ended = scripts("agent-skill", *words, "partner-health", given=REQUEST, env={"AGENT_WORKERS_POOL": "/nowhere"})
    assert (ended.stdout, ended.returncode, ended.stderr) == (HELLO.decode(), 0, "")
    assert pool.calls[0].head["skill"] == "partner-health"


@pytest.mark.parametrize("request_", [b"", b'{\n"prompt":\n"x"}\n\n', b"x" * 3_000_000], ids=["none", "lines", "large"])
def test_a_request_comes_to_the_pool_byte_for_byte(scripts: Scripts, pool_of: PoolAt, request_: bytes) -> None:
    pool = pool_of(saying(HELLO, LAST))
    ended = scripts("agent-chat", "--pool", pool.path, given=request_)
    assert ended.stdout == HELLO.decode()
    assert pool.calls[0].request == request_


def test_a_request_that_is_too_large_is_refused_by_the_pool_and_its_writer_meets_no_broken_pipe(
    pool_of: PoolAt, client: Callable[..., Client]
) -> None:
    refusal = line(1, {"type": "error", "code": "invalid_request", "message": "Too large.", "retryable": False})

    def refuse(call: Call) -> None:
        call.head = json.loads(call.read())
        call.send(refusal + b'{"pool": 1, "exit": 2}\n')

    pool = pool_of(refuse)
    running = client("agent-chat", "--pool", pool.path)
    chunk = b" " * (1 << 20)
    for _ in range(36):
        running.stdin.write(chunk)
    running.stdin.close()
    assert running.end() == (refusal, b"", 2)
    assert pool.calls[0].head["size"] > 32 << 20


def test_with_control_the_first_line_is_the_request_and_each_further_line_follows(
    pool_of: PoolAt, client: Callable[..., Client]
) -> None:
    heard: list[bytes] = []

    def play(call: Call) -> None:
        call.take()
        call.send(answer(START))
        while told := call.read():
            heard.append(told)
            call.send(line(len(heard) + 1, DELTA))
        call.send(line(len(heard) + 2, {"type": "aborted", "reason": "parent_gone"}) + b'{"pool": 1, "exit": 3}\n')

    pool = pool_of(play)
    running = client("agent-chat", "--control", "--pool", pool.path)
    running.stdin.write(b"\n  \n" + REQUEST + b'\n{"a": 1}\n{"b"')
    assert b"delta" in running.stdout.readline() + running.stdout.readline()
    running.stdin.write(b': 2}\n{"c": 3}')
    running.stdin.close()
    output, _, status = running.end()
    assert pool.calls[0].request == REQUEST
    assert heard == [b'{"a": 1}\n', b'{"b": 2}\n', b'{"c": 3}\n']
    assert (json.loads(output.splitlines()[-1])["reason"], status) == ("parent_gone", 3)


def test_a_caller_that_takes_its_time_has_its_run_although_the_pool_did_not_wait(
    pool_of: PoolAt, client: Callable[..., Client]
) -> None:
    def play(call: Call) -> None:
        if len(pool.calls) > 1:
            saying(HELLO, LAST)(call)

    pool = pool_of(play)
    running = client("agent-chat", "--pool", pool.path)
    until(lambda: pool.calls and pool.calls[0].connection.fileno() == -1)
    running.give()
    assert running.end() == (HELLO, b"", 0)


KEY = "sk-ant-api03-of-a-user"


@pytest.mark.parametrize("control", [[], ["--control"]])
def test_the_key_of_the_run_on_stdin_goes_to_the_pool_and_the_request_behind_it(
    scripts: Scripts, pool_of: PoolAt, control: list[str]
) -> None:
    pool = pool_of(saying(HELLO, LAST))
    given = KEY.encode() + b"\n" + REQUEST + b"\n"
    ended = scripts("agent-chat", "--credential-fd=0", *control, "--pool", pool.path, given=given)
    assert (ended.stdout, ended.returncode, ended.stderr) == (HELLO.decode(), 0, "")
    assert pool.calls[0].head["credential"] == KEY
    assert pool.calls[0].request.strip() == REQUEST


def test_the_key_of_the_run_comes_from_any_descriptor(scripts: Scripts, pool_of: PoolAt) -> None:
    pool = pool_of(saying(HELLO, LAST))
    (scripts.home / "key").write_text(f"{KEY}\n")
    script = f'exec 4<"$HOME/key"; exec agent-chat --credential-fd 4 --pool "{pool.path}"'
    ended = scripts("sh", "-c", script, given=REQUEST)
    assert (ended.stdout, ended.returncode) == (HELLO.decode(), 0)
    assert pool.calls[0].head["credential"] == KEY
    assert pool.calls[0].request == REQUEST


@pytest.mark.parametrize("descriptor", ["0", "1", "4", "x"])
def test_a_run_whose_key_is_none_is_refused_and_the_pool_hears_nothing_of_it(
    scripts: Scripts, pool_of: PoolAt, descriptor: str
) -> None:
    heard: list[bytes] = []
    pool = pool_of(lambda call: heard.append(call.read()))
    words = ["--pool", pool.path, f"--credential-fd={descriptor}"]
    ended = scripts("agent-chat", *words, given=b"no key\n" + REQUEST)
    [event] = events_of(ended.stdout.encode())
    assert (event["code"], ended.returncode) == ("invalid_request", 2)
    assert "--credential-fd" in event["message"]
    assert "invalid_request" in ended.stderr
    assert not any(heard)


# In place of the start: a caller has little time.
HURRIED = """
import sys
import agent_workers.cli.pooled.request as request
request._HINT_AFTER_S, request._FIRST_LINE_S = 0.1, 0.2
from agent_workers.cli import start
start()
"""


def test_a_controlled_run_whose_request_does_not_come_is_told_so_by_the_pool(scripts: Scripts, pool_of: PoolAt) -> None:
    refusal = line(1, {"type": "error", "code": "invalid_request", "message": "Late.", "retryable": False})
    pool = pool_of(lambda call: call.send(refusal + b'{"pool": 1, "exit": 2}\n'))
    command = [sys.executable, "-EP", "-c", HURRIED, "agent-chat", "--control", "--pool", pool.path]
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=scripts.environ(), **options) as running:
        try:
            assert running.wait(PATIENCE_S) == 2
            assert running.stdout.read() == refusal
            assert b"waiting for a JSON request on one line" in running.stderr.read()
        finally:
            running.kill()


# What the pool says


def _byte_by_byte(data: bytes) -> list[bytes]:
    return [data[place : place + 1] for place in range(len(data))]


@pytest.mark.parametrize(
    "parts",
    [[HELLO + LAST], [HELLO, LAST[:9], LAST[9:]], [HELLO[:-1], b"\n" + LAST], _byte_by_byte(HELLO + LAST)],
    ids=["at once", "a split last line", "a split event", "byte by byte"],
)
def test_events_are_passed_on_and_the_last_line_is_not(scripts: Scripts, pool_of: PoolAt, parts: list[bytes]) -> None:
    pool = pool_of(saying(*parts))
    ended = scripts("agent-chat", "--pool", pool.path, given=REQUEST)
    assert (ended.stdout, ended.returncode, ended.stderr) == (HELLO.decode(), 0, "")


@pytest.mark.parametrize(
    ("last", "status"),
    [
        (b'{"pool":1,"exit":75}\n', 75),
        (b'{ "exit" : 3 , "pool" : 1, "more": {} }\n', 3),
        (b'{"pool": 1, "exit": 4000}\n', 255),
    ],
)
def test_the_exit_status_is_that_of_the_last_line(scripts: Scripts, pool_of: PoolAt, last: bytes, status: int) -> None:
    pool = pool_of(saying(HELLO, last))
    ended = scripts("agent-chat", "--pool", pool.path, given=REQUEST)
    assert (ended.stdout, ended.returncode) == (HELLO.decode(), status)


@pytest.mark.parametrize("torn", [b"", b'{"v":1,"seq":3,"ru', b'{"pool": 1, "exit": 0}', b"x" * 1_500_000])
def test_a_connection_that_ends_too_early_is_a_worker_that_was_lost(
    scripts: Scripts, pool_of: PoolAt, torn: bytes
) -> None:
    pool = pool_of(saying(answer(START, DELTA), torn))
    ended = scripts("agent-chat", "--pool", pool.path, given=REQUEST)
    events = events_of(ended.stdout.encode())
    assert [(event["run"], event["type"]) for event in events] == [
        ("pooled", kind) for kind in ("start", "delta", "error")
    ]
    assert (events[-1]["code"], events[-1]["retryable"], ended.returncode) == ("worker_lost", True, 75)
    assert "worker_lost" in ended.stderr


@pytest.mark.parametrize("control", [[], ["--control"]])
def test_a_worker_that_was_lost_before_its_first_word_has_the_id_of_the_request(
    scripts: Scripts, pool_of: PoolAt, control: list[str]
) -> None:
    pool = pool_of(saying())
    ended = scripts("agent-chat", *control, "--pool", pool.path, given=b'{"prompt": "x", "run": "mine"}\n')
    [event] = events_of(ended.stdout.encode())
    assert (event["run"], event["code"], ended.returncode) == ("mine", "worker_lost", 75)


@pytest.mark.parametrize(
    ("bodies", "status"),
    [
        ([START, DONE], 0),
        ([START, ABORTED], 3),
        ([START, {"type": "error", "code": "auth", "message": "No.", "retryable": False}], 1),
        ([{"type": "error", "code": "invalid_request", "message": "No.", "retryable": False}], 2),
        ([{"type": "error", "code": "pool_full", "message": "No.", "retryable": True}], 75),
    ],
)
def test_nothing_is_added_to_a_run_that_has_told_its_end(
    scripts: Scripts, pool_of: PoolAt, bodies: list[dict[str, Any]], status: int
) -> None:
    pool = pool_of(saying(answer(*bodies)))
    ended = scripts("agent-chat", "--pool", pool.path, given=REQUEST)
    assert (ended.stdout, ended.returncode) == (answer(*bodies).decode(), status)


def test_a_pool_that_refuses_at_once_and_reads_nothing_is_heard(scripts: Scripts, pool_of: PoolAt) -> None:
    refusal = line(1, {"type": "error", "code": "pool_full", "message": "Busy.", "retryable": True})
    pool = pool_of(lambda call: call.send(refusal + b'{"pool": 1, "exit": 75}\n'))
    ended = scripts("agent-chat", "--control", "--pool", pool.path, given=REQUEST + b"\n")
    events = events_of(ended.stdout.encode())
    assert (events[-1]["type"], ended.returncode) == ("error", 75)


# Readers


def test_a_slow_reader_slows_the_run_down(pool_of: PoolAt, client: Callable[..., Client]) -> None:
    sent = 0
    events = [line(seq, {**DELTA, "text": "x" * 10_000}) for seq in range(2, 502)]

    def flood(call: Call) -> None:
        nonlocal sent
        call.take()
        call.send(answer(START))
        for event in events:
            call.send(event)
            sent += 1
        call.send(line(502, DONE) + LAST)

    running = client("agent-chat", "--pool", pool_of(flood).path)
    running.give()
    seen: list[int] = []

    def is_stuck() -> bool:
        seen.append(sent)
        return sent > 0 and seen[-40:] == [sent] * 40

    until(is_stuck)
    assert sent < 200
    output, _, status = running.end()
    assert output == answer(START) + b"".join(events) + line(502, DONE)
    assert status == 0


def test_a_reader_that_goes_ends_the_connection(pool_of: PoolAt, client: Callable[..., Client]) -> None:
    gone = threading.Event()

    def play(call: Call) -> None:
        call.take()
        call.send(answer(START))
        if not call.read():
            gone.set()

    running = client("agent-chat", "--pool", pool_of(play).path)
    running.give()
    running.stdout.readline()
    running.stdout.close()
    assert running.process.wait(PATIENCE_S) == 4
    assert gone.wait(PATIENCE_S)


def test_a_reader_that_goes_when_all_is_told_does_not_change_the_exit_status(
    pool_of: PoolAt, client: Callable[..., Client]
) -> None:
    left = threading.Event()

    def play(call: Call) -> None:
        call.take()
        call.send(HELLO)
        assert left.wait(PATIENCE_S)
        call.send(LAST)

    running = client("agent-chat", "--pool", pool_of(play).path)
    running.give()
    for _ in range(3):
        running.stdout.readline()
    running.stdout.close()
    left.set()
    assert running.process.wait(PATIENCE_S) == 0


# Stopping


@pytest.mark.parametrize(("number", "told"), [(signal.SIGTERM, 15), (signal.SIGINT, 2), (signal.SIGHUP, 15)], ids=str)
@pytest.mark.parametrize("control", [[], ["--control"]])
def test_a_stop_signal_is_told_to_the_pool_and_the_run_ends_as_it_says(
    pool_of: PoolAt, client: Callable[..., Client], number: int, told: int, control: list[str]
) -> None:
    heard = []

    def play(call: Call) -> None:
        call.take()
        call.send(answer(START))
        heard.append(json.loads(call.read()))
        call.send(line(2, ABORTED) + b'{"pool": 1, "exit": 3}\n')

    running = client("agent-chat", *control, "--pool", pool_of(play).path)
    running.stdin.write(REQUEST + b"\n")
    if not control:
        running.stdin.close()
    start = running.stdout.readline()
    running.signal(number)
    assert running.end() == (line(2, ABORTED), b"", 3)
    assert start == answer(START)
    assert heard == [{"pool": 1, "signal": told}]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_stop_signal_ends_the_process(pool_of: PoolAt, client: Callable[..., Client], number: int) -> None:
    heard: list[bytes] = []
    gone = threading.Event()

    def play(call: Call) -> None:
        call.take()
        call.send(answer(START))
        while told := call.read():
            heard.append(told)
        gone.set()

    running = client("agent-chat", "--pool", pool_of(play).path)
    running.give()
    running.stdout.readline()
    running.signal(signal.SIGTERM)
    until(lambda: heard)
    running.signal(number)
    assert running.end() == (b"", b"", 128 + number)
    assert gone.wait(PATIENCE_S)


def test_of_two_stop_signals_at_once_the_second_waits_until_the_end_is_told(
    pool_of: PoolAt, client: Callable[..., Client]
) -> None:
    def play(call: Call) -> None:
        call.take()
        call.send(answer(START))
        call.read()
        call.send(line(2, ABORTED))
        assert call.read() == b""

    running = client("agent-chat", "--pool", pool_of(play).path)
    running.give()
    running.stdout.readline()
    running.signal(signal.SIGTERM)
    running.signal(signal.SIGINT)
    output, _, status = running.end()
    assert (output, status) in [(line(2, ABORTED), 128 + signal.SIGINT), (line(2, ABORTED), 128 + signal.SIGTERM)]


@pytest.mark.parametrize("control", [[], ["--control"]])
def test_a_stop_signal_before_the_request_ends_the_run_and_the_pool_hears_nothing_of_it(
    pool_of: PoolAt, client: Callable[..., Client], control: list[str]
) -> None:
    heard: list[bytes] = []
    pool = pool_of(lambda call: heard.append(call.read()))
    running = client("agent-chat", *control, "--pool", pool.path)
    running.stdin.write(b'{"prompt": ')
    until(lambda: catches(running.process.pid, signal.SIGTERM))
    running.signal(signal.SIGTERM)
    output, _, status = running.end()
    [event] = events_of(output)
    assert (event["type"], event["reason"], status) == ("aborted", "signal", 3)
    until(lambda: heard)
    assert heard == [b""]


def test_a_stopped_run_whose_reader_takes_nothing_ends_all_the_same(
    pool_of: PoolAt, client: Callable[..., Client]
) -> None:
    stuck = threading.Event()

    def play(call: Call) -> None:
        call.take()
        call.connection.settimeout(2)
        try:
            while True:
                call.send(line(1, {**DELTA, "text": "x" * 10_000}))
        except TimeoutError:
            stuck.set()
        call.connection.settimeout(PATIENCE_S)
        while call.read():
            pass

    running = client("agent-chat", "--pool", pool_of(play).path)
    running.give()
    assert stuck.wait(PATIENCE_S)
    running.signal(signal.SIGTERM)
    assert running.process.wait(PATIENCE_S) == 4


def test_a_pool_that_never_reads_can_be_left(pool_of: PoolAt, client: Callable[..., Client]) -> None:
    reached, left = threading.Event(), threading.Event()

    def play(call: Call) -> None:
        if call.connection.recv(1, socket.MSG_PEEK):
            reached.set()
        left.wait(PATIENCE_S)

    running = client("agent-chat", "--pool", pool_of(play).path)
    running.give(b" " * (8 << 20))
    assert reached.wait(PATIENCE_S)
    running.signal(signal.SIGTERM)
    running.signal(signal.SIGINT)
    _, _, status = running.end()
    left.set()
    assert status in (128 + signal.SIGINT, 128 + signal.SIGTERM)


# Without a pool

ODD = b'{"promt": "Hello"}'
"""What a worker refuses without starting an agent, and shows that it has read."""


def _nothing(path: Path) -> None:
    pass


def _left_over(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


def _file(path: Path) -> None:
    path.touch()


@pytest.mark.parametrize("place", [_nothing, _left_over, _file], ids=lambda each: each.__name__.strip("_"))
@pytest.mark.parametrize("control", [[], ["--control"]])
def test_where_no_pool_is_there_the_worker_runs_here_and_says_nothing(
    scripts: Scripts, tmp_path: Path, place: Callable[[Path], None], control: list[str]
) -> None:
    place(tmp_path / "pool.sock")
    variables = {"AGENT_WORKERS_POOL": str(tmp_path / "pool.sock")}
    ended = scripts("agent-chat", *control, given=ODD + b"\n", env=variables)
    assert _did_you_mean(ended) == "prompt"
    assert "pool" not in ended.stderr


def _did_you_mean(ended: subprocess.CompletedProcess[str]) -> str:
    [event] = events_of(ended.stdout.encode())
    assert (event["code"], ended.returncode) == ("invalid_request", 2)
    return next(detail["did_you_mean"] for detail in event["details"] if detail.get("did_you_mean"))


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [(["--pool", "{}"], {}), ([], {"AGENT_WORKERS_POOL": "{}", "AGENT_WORKERS_LOG": "info"})],
    ids=["named on the command line", "asked for by the log's level"],
)
def test_the_worker_says_that_no_pool_was_there(
    scripts: Scripts, tmp_path: Path, arguments: list[str], variables: dict[str, str]
) -> None:
    path = str(tmp_path / "pool.sock")
    words = [word.format(path) for word in arguments]
    env = {name: value.format(path) for name, value in variables.items()}
    ended = scripts("agent-chat", *words, given=ODD, env=env)
    assert _did_you_mean(ended) == "prompt"
    told = f"agent-chat: no pool at {path} (No such file or directory): this run starts a worker of its own"
    assert told in ended.stderr.splitlines()


def test_a_pool_that_takes_no_connection_is_not_waited_for(scripts: Scripts, tmp_path: Path) -> None:
    path = str(tmp_path / "pool.sock")
    with ExitStack() as held:
        listener = held.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(path)
        listener.listen(0)
        for _ in range(2):
            waiting = held.enter_context(socket.socket(socket.AF_UNIX))
            waiting.setblocking(False)
            waiting.connect_ex(path)
        ended = scripts("agent-chat", "--pool", path, given=ODD)
    assert _did_you_mean(ended) == "prompt"
    assert f"no pool at {path} (Connection timed out)" in ended.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_a_pool_that_the_user_may_not_reach_is_none(pool_of: PoolAt, tmp_path: Path) -> None:
    pool = pool_of(saying(HELLO, LAST))
    Path(pool.path).chmod(0o600)
    tmp_path.chmod(0o755)
    code = (
        "import os, sys; os.setgid(65534); os.setuid(65534);"
        "from agent_workers.cli.pooled.connection import Connection; Connection(sys.argv[1])"
    )
    refused = subprocess.run(
        [SCRIPTS / "python", "-c", code, pool.path], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert refused.stderr.splitlines()[-1].startswith("PermissionError")


@pytest.mark.parametrize(
    ("program", "arguments", "option"),
    [
        ("agent-task", ["--interactive", "--control"], "--interactive"),
        ("agent-chat", ["--simulate=nonsense"], "--simulate"),
        ("agent-chat", ["--policy", "/nonexistent"], "--policy"),
        ("agent-chat", ["--doctor=nonsense"], "--doctor"),
    ],
)
def test_what_needs_a_process_of_its_own_gets_it(
    scripts: Scripts, pool_of: PoolAt, program: str, arguments: list[str], option: str
) -> None:
    pool = pool_of(saying(HELLO, LAST))
    told = f"{program}: {option} needs a process of its own: this run starts a worker of its own"
    for env, words, is_told in [({"AGENT_WORKERS_POOL": pool.path}, [], False), ({}, ["--pool", pool.path], True)]:
        ended = scripts(program, *arguments, *words, given=REQUEST, env=env)
        assert ended.returncode == 2
        assert (told in ended.stderr.splitlines()) == is_told
    assert pool.calls == []


@pytest.mark.parametrize("words", [["--pool"], ["--pool-name", "x"], ["--pool", "x", "--nonsense"]])
def test_a_command_line_that_is_not_valid_is_refused(scripts: Scripts, words: list[str]) -> None:
    ended = scripts("agent-chat", *words, given=REQUEST)
    [event] = events_of(ended.stdout.encode())
    assert (event["code"], ended.returncode) == ("invalid_request", 2)


def test_the_help_names_the_options(scripts: Scripts, pool_of: PoolAt) -> None:
    pool = pool_of(saying(HELLO, LAST))
    ended = scripts("agent-chat", "--pool", pool.path, "--help")
    assert "--pool PATH" in ended.stdout
    assert "--pool-name NAME" in ended.stdout
    assert ended.stderr == ""


def test_doctor_finds_what_is_missing_beside_it_whether_a_pool_is_named_or_not(
    scripts: Scripts, tmp_path: Path
) -> None:
    for name in ("agent-workers", "agent-workers-entry"):
        shutil.copy(SCRIPTS / name, tmp_path)
    for env in ({}, {"AGENT_WORKERS_POOL": "/nowhere"}):
        ended = scripts(tmp_path / "agent-workers", "doctor", "--json", env=env)
        [found] = [check for check in json.loads(ended.stdout)["checks"] if check["check"] == "programs"]
        assert found["facts"] == {"missing": "agent-chat agent-task agent-tool agent-skill"}


# Rendered


def test_pretty_is_rendered_by_the_client_which_asks_for_the_output_of_tools(scripts: Scripts, pool_of: PoolAt) -> None:
    pool = pool_of(saying(HELLO, LAST))
    ended = scripts("agent-task", "--pretty", "--pool", pool.path, given=REQUEST)
    assert "Hello" in ended.stdout
    assert "{" not in ended.stdout
    assert ended.returncode == 0
    assert json.loads(pool.calls[0].request) == {**json.loads(REQUEST), "stream": {"tool_output": True}}


@pytest.mark.parametrize(
    "request_", [b'{"stream": {"tool_output": false}}', b'{"a": 1, "a": 2}', b"[", b'{"stream": 1}']
)
def test_pretty_leaves_a_request_as_it_is_that_says_itself_what_it_wants_or_is_not_valid(
    scripts: Scripts, pool_of: PoolAt, request_: bytes
) -> None:
    pool = pool_of(saying(HELLO, LAST))
    scripts("agent-task", "--pretty", "--pool", pool.path, given=request_)
    assert pool.calls[0].request == request_


def test_pretty_paints_what_has_come_although_nothing_more_comes(
    scripts: Scripts, pool_of: PoolAt, tmp_path: Path
) -> None:
    shown = threading.Event()

    def play(call: Call) -> None:
        call.take()
        call.send(answer(START) + b"".join(line(seq, {**DELTA, "text": f"word{seq} "}) for seq in range(2, 30)))
        assert shown.wait(PATIENCE_S)
        call.send(line(30, DONE) + LAST)

    pool = pool_of(play)
    request = tmp_path / "request.json"
    request.write_bytes(REQUEST)
    with scripts.running_at_terminal("agent-chat", "--pretty", "--pool", pool.path, given=request) as terminal:
        terminal.until("word29")
        shown.set()
        assert terminal.to_end()[1] == 0


def test_result_writes_the_output_alone(scripts: Scripts, pool_of: PoolAt) -> None:
    pool = pool_of(saying(answer(START, {**DONE, "output": {"score": 1}}), LAST))
    ended = scripts("agent-skill", "deal-score", "--result", "--pool", pool.path, given=REQUEST)
    assert (ended.stdout, ended.stderr, ended.returncode) == ('{"score":1}\n', "", 0)


def test_result_tells_on_stderr_that_the_worker_was_lost(scripts: Scripts, pool_of: PoolAt) -> None:
    pool = pool_of(saying(answer(START)))
    ended = scripts("agent-skill", "deal-score", "--result", "--pool", pool.path, given=REQUEST)
    assert (ended.stdout, ended.returncode) == ("", 75)
    assert ended.stderr == "agent-skill: The agent worker ended unexpectedly. Try again. (worker_lost)\n"


# Those that start workers


def _answering(call: Call) -> None:
    call.take()
    run = json.loads(call.request)["run"]
    for seq, body in enumerate([START, DELTA, DONE], 1):
        call.send(line(seq, body, run))
    call.send(LAST)


def test_a_process_runner_uses_the_pool_that_its_environment_or_its_arguments_name(
    scripts: Scripts, pool_of: PoolAt
) -> None:
    pool = pool_of(_answering)
    named = ProcessRunner("agent-chat", "--pool", pool.path, env=scripts.environ())
    found = ProcessRunner("agent-chat", env=scripts.environ(AGENT_WORKERS_POOL=pool.path))
    for runner in (named, found):
        run = runner.stream({"prompt": "Hello", "run": "mine"})
        assert [event["type"] for event in run] == ["start", "delta", "done"]
        assert (run.result().text, run.exit_status, run.stderr) == ("Hello", 0, "")
    assert [call.head["control"] for call in pool.calls] == [True, True]


def test_a_process_runner_answers_and_aborts_in_the_pool(scripts: Scripts, pool_of: PoolAt) -> None:
    heard: list[str] = []

    def play(call: Call) -> None:
        call.take()
        call.send(answer(START))
        while told := call.read():
            heard.append(json.loads(told)["type"])
            if heard[-1] == "abort":
                call.send(line(2, {"type": "aborted", "reason": "client"}) + b'{"pool": 1, "exit": 3}\n')

    run = ProcessRunner("agent-chat", "--pool", pool_of(play).path, env=scripts.environ()).stream({"prompt": "x"})
    for event in run:
        if event["type"] == "start":
            run.send({"type": "say", "text": "More."})
            run.abort()
    with pytest.raises(RunAborted):
        run.result()
    assert run.exit_status == 3
    assert heard == ["say", "abort"]


def test_a_batch_has_its_runs_in_the_pool(scripts: Scripts, pool_of: PoolAt) -> None:
    pool = pool_of(_answering)
    given = b"".join(b'{"worker": "%s", "prompt": "x"}\n' % name for name in (b"agent-chat", b"agent-task"))
    ended = scripts("agent-batch", given=given, env={"AGENT_WORKERS_POOL": pool.path})
    assert ended.returncode == 0, ended.stderr
    assert Counter(call.head["worker"] for call in pool.calls) == {"agent-chat": 1, "agent-task": 1}
    assert [json.loads(told)["type"] for told in ended.stdout.splitlines()].count("done") == 2
