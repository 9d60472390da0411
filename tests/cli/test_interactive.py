"""``--interactive``: a person at a real terminal answers the questions of the real worker."""

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import termios
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent_workers.simulator import Scenario, Simulator, running_simulator
from agent_workers.simulator.scenario import Message, Stall, Text, ToolUse
from tests.cli.conftest import Process, Scripts, Shown
from tests.cli.terminal import Terminal
from tests.e2e.loaded import LoadedWorkers
from tests.live_files import conversations
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.usefixtures("loaded")
COLUMNS, ROWS = 80, 30
QUESTION = "Allow it? [y/n/a]"
CHOICE = "Your answer:"
# A shell becomes the leader of a session, and the first terminal that such a one opens is its own.
AT_TERMINAL = ("sh", "-c", ': <>"$0" && exec "$@"')
CTRL_C, CTRL_D = "\x03", "\x04"
MODES = termios.ICANON | termios.ECHO | termios.ISIG


@dataclass
class Sitting(Shown):
    """A run and the person at its terminal."""

    recorded: Path = field(default=Path())
    _asked: Counter[str] = field(default_factory=Counter)

    def asked(self, prompt: str = QUESTION) -> None:
        """Waits until the next question with this prompt, or the same once more, can be answered."""
        self._asked[prompt] += 1
        while self.terminal.text.count(f"\n{prompt}") < self._asked[prompt]:
            assert self._take(), f"the process ended and did not ask: {self.terminal.text}"

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def answer(self, keys: str) -> str:
        """Types at a question, and waits for the next; returns what is shown meanwhile."""
        before = len(self.terminal.text)
        self.type(keys)
        self.asked()
        return self.terminal.text[before:]

    @property
    def echoes_lines(self) -> bool:
        return termios.tcgetattr(self.master)[3] & MODES == MODES

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.recorded.read_bytes().splitlines()]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    @property
    def decisions(self) -> list[tuple[str, str]]:
        return [(event["behavior"], event["by"]) for event in self.of("permission_resolved")]


@dataclass
class Desk:
    """A working directory, a model that follows a script, and a terminal."""

    scripts: Scripts
    simulator: Simulator
    cwd: Path

    def play(self, *turns: list[ToolUse] | Stall) -> None:
        """Has the model make these calls, and then say that it is done."""
        steps = [turn if isinstance(turn, Stall) else Message(content=tuple(turn)) for turn in turns]
        last = Message(content=(Text(text="All done."),))
        self.simulator.play(Scenario(name="script", description="A test's.", steps=(*steps, last)))

    def made(self) -> list[str]:
        return sorted(path.name for path in self.cwd.iterdir())

    def told_to_the_model(self) -> list[str]:
        """The results of tools in the last call of the API."""
        messages = self.simulator.requests("/v1/messages")[-1].body["messages"]
        blocks = [block for message in messages if isinstance(message["content"], list) for block in message["content"]]
        return [json.dumps(block["content"]) for block in blocks if block["type"] == "tool_result"]

    @contextmanager
    def sitting(
        self,
        *options: str,
        typed_ahead: str = "",
        modes: int | None = None,
        timeout_s: float = PATIENCE_S,
        question_timeout_s: float = PATIENCE_S,
    ) -> Iterator[Sitting]:
        """A run at a terminal, which shows the events too with ``--pretty``; else they are recorded.

        Args:
            options: Of the command line, beside ``--interactive``.
            typed_ahead: What is typed before the worker starts.
            modes: Of the terminal, instead of the usual ones.
            timeout_s: How long a question about a call waits.
            question_timeout_s: How long a question to the user waits.
        """
        request = self.scripts.home / "request.json"
        permissions = {"mode": "ask", "timeout_s": timeout_s}
        tools = ["AskUserQuestion", "Bash", "Edit", "Read", "Write"]
        request.write_text(
            json.dumps(
                {
                    "prompt": "Go.",
                    "cwd": str(self.cwd),
                    "tools": tools,
                    "permissions": permissions,
                    "limits": {"question_timeout_s": question_timeout_s},
                }
            )
        )
        recorded = self.scripts.home / "events.ndjson"
        with _terminal() as (master, slave), request.open("rb") as stdin, recorded.open("wb") as file:
            if modes is not None:
                _set_modes(slave, modes)
            os.write(master, typed_ahead.encode())
            process = self._start(
                os.ttyname(slave),
                options,
                stdin=stdin.fileno(),
                stdout=slave if "--pretty" in options else file.fileno(),
                stderr=slave,
                env=self.scripts.environ(
                    TERM="xterm-256color", ANTHROPIC_BASE_URL=self.simulator.base_url, ANTHROPIC_API_KEY="none"
                ),
            )
            os.close(slave)
            try:
                yield Sitting(process, master, Terminal(COLUMNS, ROWS), recorded)
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait(PATIENCE_S)

    def _start(self, terminal: str, options: tuple[str, ...], **streams: Any) -> Process:
        if loaded := self.scripts.loaded:
            arguments = ("--interactive", *options)
            return loaded.start("agent-task", arguments, cwd=Path.cwd(), terminal=terminal, **streams)
        command = [*AT_TERMINAL, terminal, "agent-task", "--interactive", *options]
        return subprocess.Popen(command, start_new_session=True, **streams)


@contextmanager
def _terminal() -> Iterator[tuple[int, int]]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    try:
        yield master, slave
    finally:
        os.close(master)


def _set_modes(terminal: int, modes: int) -> None:
    attributes = termios.tcgetattr(terminal)
    attributes[3] = modes
    termios.tcsetattr(terminal, termios.TCSANOW, attributes)


@pytest.fixture
def desk(scripts: Scripts, tmp_path: Path) -> Iterator[Desk]:
    with _desk(tmp_path, scripts.loaded) as desk:
        yield desk


@contextmanager
def _desk(folder: Path, loaded: LoadedWorkers | None) -> Iterator[Desk]:
    home, cwd = folder / "home", folder / "work"
    for path in (home, cwd):
        path.mkdir(exist_ok=True)
    with running_simulator() as simulator:
        yield Desk(Scripts(home, loaded), simulator, cwd)


def touch(name: str) -> ToolUse:
    return bash(f"touch {name}")


def bash(command: str) -> ToolUse:
    return ToolUse(name="Bash", input={"command": command, "description": "A command"})


def ask(*questions: tuple[str, bool]) -> ToolUse:
    """A call that asks these questions; the second part says whether more than one option may be chosen."""
    options = [{"label": label, "description": f"It is \x1b[31m{label}."} for label in ("Graz", "Linz", "Wien")]
    asked = [{"question": q, "header": "City", "options": options, "multiSelect": multi} for q, multi in questions]
    return ToolUse(name="AskUserQuestion", input={"questions": asked})


# Answers


def test_a_person_picks_from_the_list_or_writes_an_answer(desk: Desk) -> None:
    desk.play(
        [ask(("Where \x1b[2J\u202eto?", False), ("Which of\nthese?", True), ("What else?", False))], [touch("one")]
    )
    with desk.sitting("--pretty", typed_ahead="1\n") as sitting:
        sitting.asked(CHOICE)
        assert "? The agent asks you\n│ City: Where <U+001B>[2J<U+202E>to?\n│ 1  Graz" in sitting.terminal.text
        sitting.type("4\n")  # no such option
        sitting.asked(CHOICE)
        sitting.type("2\n")
        sitting.asked(CHOICE)
        assert "one or more numbers, as in 1,2" in sitting.terminal.text
        sitting.type("1, 3\n")
        sitting.asked(CHOICE)
        sitting.type('"7"\n')
        sitting.asked()
        sitting.type("y\n")
        terminal, status = sitting.to_end()
    assert "The list has no 4." in terminal.text
    told = json.loads(desk.told_to_the_model()[0])
    assert '="Linz"' in told
    assert '="Graz, Wien"' in told
    assert '"What else?"="7"' in told
    assert (desk.made(), status) == (["one"], 0)
    assert "All done." in terminal.text


@pytest.fixture(scope="module")
def allowed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Sitting, dict[str, bool], int]]:
    """A call that was answered by yes at a terminal in a strange mode; whether lines were echoed, and the status.

    By the installed program.
    """
    with _desk(tmp_path_factory.mktemp("allowed"), None) as desk:
        desk.play([ToolUse(name="Write", input={"file_path": "note.txt", "content": "first\nsecond"})])
        with desk.sitting(modes=0) as sitting:
            sitting.asked()
            usable = sitting.echoes_lines
            sitting.type("y\n")
            _, status = sitting.to_end()
            strange_again = termios.tcgetattr(sitting.master)[3] == 0
        yield desk, sitting, {"usable": usable, "strange again": strange_again}, status


def test_yes_runs_the_call(allowed: tuple[Desk, Sitting, dict[str, bool], int]) -> None:
    desk, sitting, _, status = allowed
    assert (desk.cwd / "note.txt").read_text() == "first\nsecond"
    assert "? The agent asks to call Write" in sitting.terminal.text
    assert "│ + first\n│ + second" in sitting.terminal.text
    assert sitting.decisions == [("allow", "client")]
    assert (sitting.events[-1]["type"], status) == ("done", 0)


def test_a_terminal_in_a_strange_mode_is_usable_and_strange_again_in_the_end(
    allowed: tuple[Desk, Sitting, dict[str, bool], int],
) -> None:
    desk, _, modes, status = allowed
    assert modes == {"usable": True, "strange again": True}
    assert (desk.made(), status) == (["note.txt"], 0)


UNCLEAR = ["", "yes please", "yy", "j", "always yes", "y\x1b[D"]


@dataclass
class Denied:
    """Two calls that were answered by no, after unclear answers to the first, and once with words.

    Attributes:
        ahead: What was made at the second prompt of the first question, where ``y`` had been typed before it.
        after: What was shown after each unclear answer, up to the same question once more, and what was made.
    """

    desk: Desk
    sitting: Sitting
    ahead: list[str]
    after: dict[str, tuple[str, list[str]]]
    status: int


@pytest.fixture(scope="module")
def denied(tmp_path_factory: pytest.TempPathFactory, loaded: LoadedWorkers) -> Iterator[Denied]:
    with _desk(tmp_path_factory.mktemp("denied"), loaded) as desk:
        desk.play([touch("one")], [touch("two")])
        with desk.sitting(typed_ahead="y") as sitting:
            sitting.asked()
            sitting.answer("\n")  # which would finish a line that was begun before
            ahead = desk.made()
            after = {unclear: (sitting.answer(f"{unclear}\n"), desk.made()) for unclear in UNCLEAR}
            sitting.answer("n\n")
            sitting.type("n use staging instead, grüß dich\n")
            _, status = sitting.to_end()
        yield Denied(desk, sitting, ahead, after, status)


def test_no_denies_the_call_and_the_run_goes_on(denied: Denied) -> None:
    assert denied.desk.made() == []
    assert denied.sitting.of("tool_result")[0]["status"] == "denied"
    assert (denied.sitting.events[-1]["text"], denied.status) == ("All done.", 0)


def test_words_after_no_reach_the_model(denied: Denied) -> None:
    assert "use staging instead, grüß dich" in json.loads(denied.desk.told_to_the_model()[1])
    assert denied.desk.made() == []


@pytest.mark.parametrize("unclear", UNCLEAR)
def test_nothing_but_a_clear_yes_is_one(unclear: str, denied: Denied) -> None:
    shown, made = denied.after[unclear]
    assert "Please answer y, n or a" in shown
    assert made == []
    assert denied.desk.made() == []


def test_a_line_that_was_begun_before_the_question_is_no_answer(denied: Denied) -> None:
    assert denied.ahead == []
    assert denied.sitting.decisions == [("deny", "client")] * 2


@dataclass
class Always:
    """Five calls: two at once, of which one is allowed; one of the same tool, with always; one more; one of another.

    Attributes:
        ahead: What was made at the second prompt of the first question, where two lines had been typed before it.
        two: What was shown of the two at once, up to the prompt of the next.
        prompt: What was shown of the next.
        rest: What was shown after always.
    """

    desk: Desk
    sitting: Sitting
    ahead: list[str]
    two: str
    prompt: str
    rest: str


@pytest.fixture(scope="module")
def always(tmp_path_factory: pytest.TempPathFactory, loaded: LoadedWorkers) -> Iterator[Always]:
    write = ToolUse(name="Write", input={"file_path": "five", "content": ""})
    with _desk(tmp_path_factory.mktemp("always"), loaded) as desk:
        desk.play([touch("one"), touch("two")], [touch("three")], [touch("four")], [write])
        with desk.sitting(typed_ahead="a\ny\n") as sitting:
            sitting.asked()
            sitting.answer("\n")
            ahead = desk.made()
            sitting.answer("y\ny\n")  # the second answer comes before its question
            two = sitting.terminal.text
            prompt = sitting.answer("n\n")
            rest = sitting.answer("a\n")  # up to the question about another tool
            sitting.type("n\n")
            sitting.to_end()
        yield Always(desk, sitting, ahead, two, prompt, rest)


def test_two_questions_at_once_come_one_after_the_other(always: Always) -> None:
    assert always.two.index("│ touch one") < always.two.index("│ touch two")
    assert always.sitting.decisions[:2] == [("allow", "client"), ("deny", "client")]
    assert {"one", "two"} & set(always.desk.made()) == {"one"}


def test_always_asks_once_for_all_calls_of_the_tool(always: Always) -> None:
    assert "always: this and every later call of Bash in this run, without asking again" in always.prompt
    assert always.desk.made() == ["four", "one", "three"]
    assert always.prompt.count("The agent asks to call Bash") == 1
    assert "The agent asks to call Bash" not in always.rest
    assert always.sitting.decisions[2:] == [("allow", "client"), ("allow", "client"), ("deny", "client")]


def test_lines_that_were_typed_before_the_question_are_no_answer(always: Always) -> None:
    assert always.ahead == []


def test_an_answer_that_was_typed_before_the_question_is_none(desk: Desk) -> None:
    desk.play([touch("one")])
    with desk.sitting(typed_ahead="y\n") as sitting:
        sitting.asked()
        sitting.answer("\n")
        assert desk.made() == []
        sitting.type("n\n")
        sitting.to_end()
    assert sitting.decisions == [("deny", "client")]


# Without an answer


def test_a_question_that_nobody_answers_in_time_goes_away(desk: Desk) -> None:
    desk.play([ask(("Where to?", False))], [touch("one")], [touch("two")])
    with desk.sitting(timeout_s=1, question_timeout_s=1) as sitting:
        sitting.asked(CHOICE)
        sitting.until("\nNobody answered in time.\n")
        assert desk.made() == []
        sitting.asked()
        sitting.type("y")  # and not Enter
        sitting.until("Nobody answered in time: denied.")
        sitting.asked()
        sitting.type("\n")
        _, status = sitting.to_end()
    assert [event["by"] for event in sitting.of("question_resolved")] == ["timeout"]
    assert sitting.decisions == [("deny", "timeout")] * 2
    assert desk.made() == []
    assert (sitting.events[-1]["text"], status) == ("All done.", 0)


@pytest.mark.usefixtures("installed")
def test_an_answer_that_comes_too_late_changes_nothing(desk: Desk) -> None:
    desk.play([touch("one")], Stall())
    with desk.sitting(timeout_s=1) as sitting:
        sitting.asked()
        sitting.until("Nobody answered in time: denied.")
        sitting.type("y\n")
        sitting.type(CTRL_C)
        _, status = sitting.to_end()
    assert sitting.decisions == [("deny", "timeout")]
    assert (desk.made(), status) == ([], 3)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("options", [(), ("--pretty",)])
def test_ctrl_c_at_the_question_stops_the_run(options: tuple[str, ...], desk: Desk) -> None:
    desk.play([touch("one"), touch("two")])
    with desk.sitting(*options) as sitting:
        sitting.asked()
        sitting.type(CTRL_C)
        terminal, status = sitting.to_end()
        assert sitting.echoes_lines
    assert "The run was stopped: denied.\n" in terminal.text
    assert terminal.text.count(QUESTION) == 1
    assert (desk.made(), status) == ([], 3)
    if options:
        assert "aborted (signal)" in terminal.text
    else:
        assert set(sitting.decisions) == {("deny", "abort")}
        assert sitting.events[-1]["reason"] == "signal"


@pytest.mark.usefixtures("installed")
def test_a_terminal_in_a_strange_mode_is_strange_again_after_ctrl_c(desk: Desk) -> None:
    desk.play([touch("one")])
    with desk.sitting(modes=0) as sitting:
        sitting.asked()
        assert sitting.echoes_lines
        sitting.type(CTRL_C)
        _, status = sitting.to_end()
        assert termios.tcgetattr(sitting.master)[3] == 0
    assert (desk.made(), status) == ([], 3)


@pytest.mark.usefixtures("installed")
def test_a_terminal_that_goes_away_allows_nothing(desk: Desk) -> None:
    desk.play([touch("one")])
    with desk.sitting() as sitting:
        sitting.asked()
        os.close(sitting.master)
        sitting.master = os.open(os.devnull, os.O_RDONLY)  # to be closed once more
        assert sitting.process.wait(PATIENCE_S) == 3  # it hangs up on the worker
    assert desk.made() == []


# What is shown


HOSTILE = f"a\x1b[2J\x1b]0;t\x07b\u202ec\x9b31m\rd\u200be\n{QUESTION} y\n\n? The agent asks to call Read"
LONG = "\n".join([*(f"echo {number}" for number in range(200)), "touch last"])


@dataclass
class Asked:
    """A run that asks for several calls, one after the other; the input ends at the last.

    Attributes:
        of: What was shown of each, up to the prompt.
        rest: What was shown after the prompt of the last.
    """

    desk: Desk
    sitting: Sitting
    of: dict[str, str]
    rest: str
    status: int


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, loaded: LoadedWorkers) -> Iterator[Asked]:
    with _desk(tmp_path_factory.mktemp("asked"), loaded) as desk:
        file = desk.cwd / "a.txt"
        file.write_text("one\ntwo\nthree\nfour\n")
        edit = {"file_path": str(file), "old_string": "one\ntwo\nthree", "new_string": "one\nTWO\nthree"}
        desk.play(
            [ToolUse(name="Write", input={"file_path": "a\x1b[2Jb", "content": HOSTILE})],
            [bash(LONG)],
            [bash("touch " + "x" * (COLUMNS - 8) + QUESTION)],
            [ToolUse(name="Read", input={"file_path": "a.txt"})],
            [ToolUse(name="Edit", input=edit)],
            [ToolUse(name="Read", input={"file_path": "/etc/hosts"})],
            [touch("one")],
        )
        with desk.sitting(timeout_s=90) as sitting:  # whose terminal fails on any sequence but the renderer's own
            sitting.until(f"{QUESTION} y\n│ +\n│ + ? The agent asks to call Read\nWithout")
            sitting.asked()
            shown = {
                "escapes": sitting.terminal.text,
                "long input": sitting.answer("n\n"),
                "long line": sitting.answer("n\n"),
                "edit": sitting.answer("n\n"),
                "outside": sitting.answer("y\n"),
                "last": sitting.answer("y\n"),
            }
            before = len(sitting.terminal.text)
            sitting.type(CTRL_D)
            terminal, status = sitting.to_end()
            yield Asked(desk, sitting, shown, terminal.text[before:], status)


def test_no_escape_sequence_of_the_model_reaches_the_terminal(asked: Asked) -> None:
    shown = asked.of["escapes"]
    assert "│ + a<U+001B>[2J<U+001B>]0;t<U+0007>b<U+202E>c<U+009B>31m<U+000D>d<U+200B>e" in shown
    assert "/a<U+001B>[2Jb" in shown.replace("\n│ ", "")


def test_a_long_input_is_cut_where_one_sees_it(asked: Asked) -> None:
    shown = asked.of["long input"]
    assert "│ echo 0\n" in shown
    assert "lines are not shown" in shown
    assert "│ touch last\n" in shown
    assert len(shown[shown.index("? The agent asks") :].splitlines()) <= ROWS


def test_a_long_line_cannot_pass_for_one_of_ours(asked: Asked) -> None:
    shown = asked.of["long line"]
    assert f"x\n│ {QUESTION}\n" in shown
    assert sum(line.startswith(QUESTION) for line in shown.splitlines()) == 1


def test_an_edit_is_shown_as_what_goes_and_what_comes(asked: Asked) -> None:
    assert "│   one\n│ - two\n│ + TWO\n│   three\n" in asked.of["edit"]
    assert (asked.desk.cwd / "a.txt").read_text() == "one\nTWO\nthree\nfour\n"


def test_the_reason_and_the_time_to_answer_are_told(asked: Asked) -> None:
    shown = asked.of["outside"]
    assert "├ why: Path is outside allowed working directories\n" in shown
    assert "Without an answer within 1 min 30 s it is denied." in shown


def test_the_end_of_the_input_denies(asked: Asked) -> None:
    assert "│ touch one\n" in asked.of["last"]
    assert "The input has ended: denied." in asked.rest
    assert asked.sitting.decisions == [("deny", "client")] * 3 + [("allow", "client")] * 2 + [("deny", "client")]
    assert (asked.desk.made(), asked.status) == (["a.txt"], 0)


def test_pretty_and_the_questions_share_one_terminal(desk: Desk) -> None:
    desk.play([Text(text="Two **things**. "), touch("one"), touch("two")])
    with desk.sitting("--pretty") as sitting:
        sitting.asked()
        sitting.type("y\n")
        sitting.asked()
        sitting.type("n\n")
        terminal, status = sitting.to_end()
    told = [
        *("Two things.", "? The agent asks to call Bash", "│ touch one", f"{QUESTION} y"),
        *("✓ Bash (touch one) allowed by you", "│ touch two", f"{QUESTION} n", "✗ Bash (touch two) denied by you"),
        *("All done.", "done · ", "  denied: Bash touch two"),
    ]
    places = [terminal.text.index(f"\n{words}") for words in told]
    assert places == sorted(places)
    assert [terminal.text.count(f"\n{words}") for words in told] == [1, 2, *[1] * 9]
    assert (desk.made(), status) == (["one"], 0)


# The command line


def test_without_a_terminal_it_is_refused(scripts: Scripts) -> None:
    with subprocess.Popen(
        ["agent-task", "--interactive"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=scripts.environ(),
        start_new_session=True,
    ) as process:
        output, _ = process.communicate(timeout=PATIENCE_S)
    (line,) = output.splitlines()
    assert json.loads(line)["code"] == "invalid_request"
    assert "--interactive needs a terminal, and this process has none." in json.loads(line)["message"]
    assert process.returncode == 2


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        (("agent-task", "--interactive", "--control"), "--interactive and --control exclude each other"),
        (("agent-task", "--policy", "/does/not/exist"), "'/does/not/exist' does not exist"),
        (("agent-tool", "--interactive"), "No such option"),
    ],
)
def test_options_that_make_no_sense_are_refused(command: tuple[str, ...], fault: str, scripts: Scripts) -> None:
    refused = scripts(*command)
    assert fault in json.loads(refused.stdout)["message"]
    assert refused.returncode == 2


def test_the_help_shows_a_request_of_the_worker(scripts: Scripts) -> None:
    shown = scripts("agent-task", "--help").stdout
    assert '"cwd"' in shown
    assert "--interactive --pretty < task.json" in shown
    assert "--interactive" not in scripts("agent-tool", "--help").stdout


# A word in between

WAIT = "while [ ! -e go ]; do sleep 0.02; done"
SAY = "Say to the agent: "


def queued(desk: Desk) -> int:
    """How many messages the CLI has taken into its queue, by the transcript."""
    return sum(path.read_bytes().count(b'"operation":"enqueue"') for path in conversations(desk.scripts.home))


def allow(sitting: Sitting) -> None:
    sitting.asked()
    sitting.type("y\n")
    sitting.until("✓ Bash allowed")


@dataclass
class Spoken:
    """A run to which a line was said while it worked, and half of one when it ended.

    Attributes:
        made: At the question that came after the line.
        first: What was shown up to the prompt of the call after that.
        status: The exit status.
        echoes_lines: Whether the terminal does in the end.
    """

    desk: Desk
    made: list[str]
    first: str
    whole: str
    status: int
    echoes_lines: bool


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory, loaded: LoadedWorkers) -> Iterator[Spoken]:
    with _desk(tmp_path_factory.mktemp("spoken"), loaded) as desk:
        desk.play([bash(WAIT)], [touch("one")], [bash(WAIT)])
        with desk.sitting("--pretty") as sitting:
            allow(sitting)
            sitting.type("\x1b[A\x7f")  # what says nothing leaves no prompt
            sitting.type("y")
            sitting.until(f"{SAY}y")
            sitting.type("\x15/compact @file grüx\x7fß \x1b[Ddich")
            sitting.until(f"{SAY}/compact @file grüß dich")
            sitting.type("\n")
            until(lambda: queued(desk) == 2, what="the CLI has the word")
            (desk.cwd / "go").touch()
            sitting.asked()
            made = desk.made()
            (desk.cwd / "go").unlink()
            sitting.type("n\n")
            sitting.asked()
            first = sitting.terminal.text
            sitting.type("y\n")
            while sitting.terminal.text.count("✓ Bash allowed") < 2:
                assert sitting._take()
            sitting.type("half a w")
            sitting.until(f"{SAY}half a w")
            (desk.cwd / "go").touch()
            terminal, status = sitting.to_end()
            echoes_lines = sitting.echoes_lines
        yield Spoken(desk, made, first, terminal.text, status, echoes_lines)


def test_a_line_that_is_typed_while_the_agent_works_reaches_it_and_is_no_answer(spoken: Spoken) -> None:
    assert spoken.made == ["go"]
    assert "» the agent has read what was said to it" in spoken.whole
    heard = json.dumps(spoken.desk.simulator.requests("/v1/messages")[-1].body["messages"], ensure_ascii=False)
    assert "/compact @file grüß dich" in heard
    assert (spoken.desk.made(), spoken.status) == (["go"], 0)
    assert spoken.first.count(SAY) == 1
    assert spoken.echoes_lines


def test_a_line_that_is_not_finished_when_the_run_ends_is_dropped(spoken: Spoken) -> None:
    assert "half a w" not in json.dumps(spoken.desk.simulator.requests("/v1/messages")[-1].body["messages"])
    assert "All done." in spoken.whole
    assert spoken.status == 0
    assert spoken.echoes_lines


def test_a_line_reaches_the_agent_where_its_events_go_elsewhere(desk: Desk) -> None:
    desk.play([bash(WAIT)])
    with desk.sitting() as sitting:
        sitting.asked()
        sitting.type("y\n")
        until(lambda: sitting.of("permission_resolved"))
        sitting.type("Use staging.\n")
        until(lambda: queued(desk) == 2, what="the CLI has the word")
        (desk.cwd / "go").touch()
        sitting.to_end()
    assert [event["id"] for event in sitting.of("steered")] == ["typed-1"]


@pytest.mark.usefixtures("installed")
def test_a_second_ctrl_c_leaves_the_terminal_as_it_was_found(desk: Desk) -> None:
    desk.play([bash(f"trap '' INT TERM; {WAIT}")])
    with desk.sitting("--pretty") as sitting:
        allow(sitting)
        sitting.type("half")
        sitting.until(f"{SAY}half")  # whose keys the terminal does not show by itself
        assert not sitting.echoes_lines
        sitting.type(CTRL_C)
        sitting.until("aborted (signal)")
        sitting.type(CTRL_C)
        _, status = sitting.to_end()
        assert sitting.echoes_lines
    assert status in (130, 3)
