"""``agent-batch`` as a process: its streams, signals and exit status, and that a killed one goes on."""

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from agent_workers.cli.batch_output import Output
from agent_workers.simulator import running_simulator
from tests.e2e.stream import check_whole
from tests.e2e.worker import SCRIPTS
from tests.waiting import PATIENCE_S, until

EXAMPLES = Path(__file__).parents[2] / "examples/requests"

# Answers at once, in place of a worker that asks a model; it notes that it ran.
QUICK = r"""#!/bin/bash
read -r request
[[ $request =~ \"run\":\"([^\"]*)\" ]] && run=${BASH_REMATCH[1]}
echo "$run" >> "${0%/*}/ran"
head='{"v":1,"run":"'$run'","ts":"2026-01-01T00:00:00.000Z",'
echo "$head"'"seq":1,"type":"start","worker":"quick","worker_version":"0","sdk_version":"0","simulated":true}'
if [[ $request == *wait* ]]; then
  trap 'echo "$head\"seq\":2,\"type\":\"aborted\",\"reason\":\"signal\"}"; exit 3' TERM
  until [ -e "${0%/*}/go" ]; do sleep 0.02; done
fi
echo "$head"'"seq":2,"type":"done","stop_reason":"end_turn","text":"","usage":{"input_tokens":1,"output_tokens":1},'\
'"cost_usd":0.01,"duration_ms":1,"turns":1}'
"""


# The worker of the second line limits how long files of its parent may be: a disk that is full from then on.
LIMIT = """[[ -e ${0%/*}/ran ]] && prlimit --pid $PPID --fsize=$(($(stat -c %s ${0%/*}/checkpoint) + 40)):"""


class Place:
    """Where batches run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.quick = root / "quick"
        self.quick.write_text(QUICK, "utf-8")
        self.quick.chmod(0o755)
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(root), "TMPDIR": str(root)}

    def write(self, *requests: dict[str, Any] | bytes) -> None:
        lines = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in requests]
        (self.root / "in").write_bytes(b"".join(line + b"\n" for line in lines))

    def write_prompts(self, count: int, prompt: str = "x") -> None:
        self.write(*({"prompt": f"{prompt} {number}"} for number in range(count)))

    def start(
        self, *arguments: str, stdout: Any = subprocess.PIPE, quick: bool = True, before: Sequence[str] = ()
    ) -> "subprocess.Popen[bytes]":
        command = [*before, str(SCRIPTS / "agent-batch"), *arguments]
        if quick:
            command += ["--worker=quick", f"--command=quick={self.quick}"]
        with (self.root / "in").open("rb") as lines, (self.root / "err").open("ab") as errors:
            return subprocess.Popen(command, stdin=lines, stdout=stdout, stderr=errors, env=self.environ)

    def run(self, *arguments: str, **options: Any) -> tuple[int, list[dict[str, Any]]]:
        with self.start(*arguments, **options) as batch:
            output, _ = batch.communicate(timeout=PATIENCE_S)
        return batch.returncode, [json.loads(line) for line in output.splitlines()]

    @property
    def errors(self) -> str:
        return (self.root / "err").read_text("utf-8")

    @property
    def ran(self) -> list[str]:
        return (self.root / "ran").read_text().splitlines() if (self.root / "ran").exists() else []


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    (tmp_path / "go").touch()


def test_requests_of_the_real_worker_come_to_results(place: Place) -> None:
    place.write({"prompt": "Hello"}, {"worker": "agent-chat", "promt": "x"}, {"worker": "agent-chat", "prompt": "You"})
    with running_simulator() as simulator:
        place.environ |= {"ANTHROPIC_BASE_URL": simulator.base_url, "ANTHROPIC_API_KEY": "key-canary"}
        status, results = place.run(
            "--worker=agent-chat", "--results", "--concurrency=2", "--summary=json", quick=False
        )
    found = {result["line"]: result for result in results}
    assert {line: result["status"] for line, result in found.items()} == {1: "done", 2: "error", 3: "done"}
    assert "You said: Hello" in found[1]["text"]
    assert {problem["pointer"] for problem in found[2]["error"]["details"]} == {"/prompt", "/promt"}
    assert found[3]["usage"]["output_tokens"] > 0
    assert status == 1
    summary = json.loads(place.errors.splitlines()[-1])
    assert (summary["done"], summary["failed"], summary["errors"]) == (2, 1, {"invalid_request": 1})


def test_a_line_may_name_a_skill_instead_of_a_worker(place: Place) -> None:
    example = json.loads((EXAMPLES / "partner-health.json").read_text("utf-8"))
    about = {"subject": {"type": "partner", "id": "p-2210"}}
    place.write(
        {"skill": "partner-health", **example, **about}, {"skill": "partner-helth", **example}, {"prompt": "Hello"}
    )
    with place.start("--results", "--worker=agent-chat", "--simulate", "--concurrency=2", quick=False) as batch:
        results = {result["line"]: result for result in map(json.loads, batch.stdout)}
    assert batch.returncode == 1
    assert [results[line]["worker"] for line in (1, 2, 3)] == ["agent-skill", "agent-skill", "agent-chat"]
    assert results[1]["output"]["status"] == "watch"
    assert results[2]["error"]["details"][0]["did_you_mean"] == "partner-health"
    assert results[3]["status"] == "done"


def test_of_five_hundred_requests_each_has_exactly_one_terminal_event(place: Place) -> None:
    place.write_prompts(500)
    status, events = place.run("--concurrency=8")
    runs: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        runs.setdefault(event["run"], []).append(event)
    assert len(runs) == 500
    for run in runs.values():
        check_whole(run)
    assert status == 0


def test_a_batch_that_is_killed_at_any_moment_goes_on_and_repeats_nothing(place: Place) -> None:
    count, chance = 150, random.Random(7)
    place.write_prompts(count)
    arguments = ("--results", "--concurrency=4", f"--checkpoint={place.root / 'checkpoint'}")
    with (place.root / "out").open("ab") as out:
        for _ in range(20):
            ends = len(_lines(place.root / "out")) + chance.randrange(12)
            with place.start(*arguments, stdout=out) as batch:
                until(lambda: len(_lines(place.root / "out")) >= ends or batch.poll() is not None)  # noqa: B023 at once
                batch.kill()
        with place.start(*arguments, stdout=out) as batch:
            assert batch.wait(PATIENCE_S) == 0
    results = Counter(json.loads(line)["line"] for line in _lines(place.root / "out"))
    assert sorted(results) == list(range(1, count + 1))
    assert set(results.values()) == {1}
    assert len(place.ran) <= count + 20 * 4  # only what was under way at a kill ran twice


def _lines(path: Path) -> list[bytes]:
    return [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def test_results_that_their_reader_never_took_are_written_again_to_those_who_bring_the_same_lines_alone(
    place: Place,
) -> None:
    arguments = ("--results", f"--checkpoint={place.root / 'checkpoint'}", f"--taken={place.root / 'taken'}")
    place.write_prompts(5)
    status, results = place.run(*arguments)
    assert (status, len(results)) == (0, 5)
    place.write_prompts(5, "y")
    assert place.run(*arguments) == (2, [])
    place.write_prompts(5)
    (place.root / "taken").write_text("2\n")
    status, again = place.run(*arguments)
    assert (status, sorted(result["line"] for result in again)) == (0, [1, 3, 4, 5])
    assert len(place.ran) == 5


def test_a_signal_ends_it_in_good_order(place: Place) -> None:
    place.write_prompts(50, "wait")
    with place.start("--results", "--concurrency=2") as batch:
        until(lambda: len(place.ran) == 2)
        batch.send_signal(signal.SIGTERM)
        until(lambda: "begins no more runs" in place.errors)
        (place.root / "go").touch()
        output, _ = batch.communicate(timeout=PATIENCE_S)
    assert [json.loads(line)["status"] for line in output.splitlines()] == ["done", "done"]
    assert (batch.returncode, len(place.ran)) == (3, 2)


def test_a_second_signal_aborts_what_is_under_way(place: Place) -> None:
    place.write_prompts(50, "wait")
    with place.start("--results", "--concurrency=2", f"--checkpoint={place.root / 'checkpoint'}") as batch:
        until(lambda: len(place.ran) == 2)
        batch.send_signal(signal.SIGINT)
        until(lambda: "begins no more runs" in place.errors)
        batch.send_signal(signal.SIGINT)
        output, _ = batch.communicate(timeout=PATIENCE_S)
    assert [json.loads(line)["status"] for line in output.splitlines()] == ["aborted", "aborted"]
    assert batch.returncode == 3
    (place.root / "go").touch()
    status, results = place.run("--results", f"--checkpoint={place.root / 'checkpoint'}")
    assert (status, len(results)) == (0, 50)


def test_after_the_deadline_and_the_grace_what_is_under_way_is_aborted(place: Place) -> None:
    place.write_prompts(5, "wait")
    status, results = place.run("--results", "--concurrency=1", "--deadline=0.3", "--grace=0")
    assert (status, [result["status"] for result in results]) == (3, ["aborted"])


def test_a_reader_that_goes_ends_it(place: Place) -> None:
    place.write_prompts(200)
    with place.start() as batch:
        assert batch.stdout
        batch.stdout.readline()
        batch.stdout.close()
        assert batch.wait(PATIENCE_S) == 4


def test_a_reader_that_goes_while_runs_are_under_way_ends_them_too(place: Place) -> None:
    place.write_prompts(5, "wait")
    with place.start("--results", "--concurrency=2", "--grace=600") as batch:
        until(lambda: len(place.ran) == 2)
        assert batch.stdout
        batch.stdout.close()
        assert batch.wait(PATIENCE_S) == 4
    assert len(place.ran) == 2


def test_a_reader_that_takes_nothing_does_not_keep_a_batch_that_is_to_end_at_once(place: Place) -> None:
    place.write(*({"prompt": "x", "key": f"{number}{'k' * 20_000}"} for number in range(9)))
    with place.start("--results", "--concurrency=1") as batch:
        until(lambda: len(place.ran) == 4)  # its result is more than what the pipe still takes
        batch.send_signal(signal.SIGTERM)
        until(lambda: "begins no more runs" in place.errors)
        assert batch.poll() is None
        batch.send_signal(signal.SIGTERM)
        assert batch.wait(PATIENCE_S) == 4


def test_what_ends_long_after_the_stop_is_told_to_a_reader_that_takes_it(capfd: pytest.CaptureFixture[str]) -> None:
    async def tell_late() -> None:
        output = Output(records=True)
        output.hurry()
        output._writing.deadline = anyio.current_time() - 1  # as if that time had passed
        await output.record({"line": 1})

    anyio.run(tell_late)
    assert capfd.readouterr().out == '{"line":1}\n'


def test_a_full_disk_is_told_and_ends_it(place: Place) -> None:
    place.write_prompts(20)
    with Path("/dev/full").open("wb") as full, place.start("--results", stdout=full) as batch:
        assert batch.wait(PATIENCE_S) == 4
    assert "No space left" in place.errors
    assert "Traceback" not in place.errors


def test_a_checkpoint_that_can_no_longer_be_written_stops_it_and_serves_the_next_start(place: Place) -> None:
    place.write_prompts(9)
    checkpoint = f"--checkpoint={place.root / 'checkpoint'}"
    place.quick.write_text(QUICK.replace("read -r request", f"{LIMIT}\nread -r request"), "utf-8")
    status, results = place.run("--results", "--concurrency=1", checkpoint)
    assert (status, len(results)) == (3, 1)
    assert "cannot be written" in place.errors
    place.quick.write_text(QUICK, "utf-8")
    status, rest = place.run("--results", checkpoint)
    assert (status, {result["line"] for result in [*results, *rest]}) == (0, set(range(1, 10)))


def test_no_more_run_at_once_than_the_system_grants_descriptors_for(place: Place) -> None:
    place.write_prompts(30)
    grants = ("bash", "-c", 'ulimit -n 100; exec "$@"', "-")
    status, results = place.run("--results", "--concurrency=30", before=grants)
    assert (status, len(results)) == (0, 30)
    assert place.errors.splitlines()[0] == "agent-batch: 4 at once, 4 of the engine messages"


def test_what_is_tried_again_is_not_told_line_by_line(place: Place) -> None:
    place.write_prompts(1)
    place.quick.write_text("#!/bin/sh\nexit 1\n", "utf-8")
    status, results = place.run("--results", "--attempts=2")
    assert (status, results[0]["error"]["code"], results[0]["attempts"]) == (75, "worker_lost", 2)
    assert len(place.errors.splitlines()) == 2  # how many at once, and what it came to


def test_nobody_who_watches_is_no_reason_to_end(place: Place) -> None:
    place.write_prompts(5)
    reading, writing = os.pipe()
    os.close(reading)
    command = [
        str(SCRIPTS / "agent-batch"),
        "--worker=quick",
        f"--command=quick={place.quick}",
        "--results",
        "--summary",
    ]
    with (place.root / "in").open("rb") as lines:
        options: Any = {"stdin": lines, "stdout": subprocess.PIPE, "stderr": writing, "env": place.environ}
        done = subprocess.run(command, timeout=PATIENCE_S, check=False, **options)
    os.close(writing)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--worker=agent-chatt"], "agent-chatt"),
        (["--concurrency=0"], "--concurrency"),
        (["--max-cost-usd=nan"], "--max-cost-usd"),
        (["--command=nothing"], "NAME=COMMAND"),
        (["--simulate=helo"], "Did you mean 'hello'?"),
        (["--checkpoint=/proc/version"], "cannot be written"),
    ],
)
def test_a_wrong_command_line_is_refused(place: Place, arguments: list[str], words: str) -> None:
    place.write_prompts(1)
    assert place.run(*arguments, quick=False) == (2, [])
    assert words in place.errors


def test_an_empty_batch_is_done_and_blank_lines_are_none(place: Place) -> None:
    place.write(b"", b"  ")
    assert place.run("--results", "--summary") == (0, [])
    assert "done" in place.errors


def test_without_its_extra_it_says_what_to_install(place: Place) -> None:
    hidden = "import sys; sys.modules['stamina'] = None; sys.argv = ['x', 'agent-batch']"
    code = f"{hidden}; from agent_workers.cli import start; start()"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=place.environ, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "pip install '.[batch]'" in done.stderr
