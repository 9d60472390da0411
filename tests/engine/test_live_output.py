"""Each file that a command prints into is told for the right call."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_workers.engine.claude.output import live_output
from agent_workers.engine.claude.output.command_files import CommandFile, CommandFiles
from agent_workers.engine.claude.output.command_words import command_run_by, words_of
from agent_workers.engine.claude.output.live_output import LiveOutput
from agent_workers.engine.printed import BOUND
from agent_workers.protocol.v1.events import ToolCall, ToolResult

LINE = "bash -c source /a/snapshot.sh || true && eval {} && pwd -P >| /tmp/claude-1-cwd"


@pytest.mark.parametrize(
    ("run", "call"),
    [
        ("'ls'", "short"),
        ("'ls -la'", "long"),
        ("'ls -la' < /dev/null", "long"),
        ("'ls < /dev/null | wc -l'", "piped"),
        ("""'"'"'echo '"'"'"'"'"'"'"'"'b c'"'"'"'"'"'"'"'"''"'"'""", "quoted"),
        ("'rm x'", None),
    ],
)
def test_a_shell_is_known_by_the_words_of_its_command(run: str, call: str | None) -> None:
    commands = {"short": "ls", "long": "ls -la", "piped": "ls | wc -l", "quoted": "echo 'b c'"}
    words = {name: words_of(command) for name, command in commands.items()}
    assert command_run_by(LINE.format(run), words) == call
    assert command_run_by("node server.js ls -la", words) is None


class Files(CommandFiles):
    """The files of a folder, and the command lines of those that print into them."""

    lines: tuple[str, ...] = ()

    def printers(self, file: CommandFile) -> Iterator[str]:
        return iter(self.lines)


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    tasks = tmp_path / "claude-1" / "work" / "session" / "tasks"
    tasks.mkdir(parents=True)
    return tasks


def called(live: LiveOutput, call: str, command: str = "date") -> None:
    live.begin(ToolCall(tool_use_id=call, name="Bash", input={"command": command}))


def ended(live: LiveOutput, call: str, content: str, told: object) -> str:
    status = "error" if isinstance(told, str) else "ok"
    result = ToolResult(tool_use_id=call, status=status, content=content)
    return "".join(output.text for output in live.end(result, told))


@pytest.mark.anyio
async def test_commands_that_were_over_at_once_are_known_by_their_results(tmp_path: Path, tasks: Path) -> None:
    live = LiveOutput(Files(tmp_path, os.getpid()))
    for call in ("first", "second", "third"):
        called(live, call)
    for name, text in {"b1": b"one\n", "b2": b"\x1b[1mtwo\n", "b3": b""}.items():
        (tasks / f"{name}.output").write_bytes(text)
    assert ended(live, "second", "\x1b[1mtwo", {"stdout": "\x1b[1mtwo"}) == "\x1b[1mtwo\n"
    assert ended(live, "third", "(no output)", {"stdout": ""}) == ""
    assert ended(live, "first", "Exit code 3\none", "Error: Exit code 3\none") == "one\n"


@pytest.mark.anyio
async def test_a_file_whose_words_are_part_of_anothers_result_is_not_taken_for_it(tmp_path: Path, tasks: Path) -> None:
    live = LiveOutput(Files(tmp_path, os.getpid()))
    texts = {"b1": "an", "b2": "banana", "b3": "a", "b4": "ana"}
    for name, text in texts.items():
        called(live, name)
        (tasks / f"{name}.output").write_text(text, "utf-8")
    for name, text in sorted(texts.items(), key=lambda item: -len(item[1])):
        assert ended(live, name, text, {"stdout": text}) == text


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("lines", "others", "told"),
    [
        ((), [], "printed\n"),
        ((), ["other"], ""),
        ((LINE.format("'sleep 9'"),), [], ""),
        ((LINE.format("'date'"),), ["other"], "printed\n"),
    ],
    ids=["the only one", "one of two", "another's", "its own"],
)
async def test_a_file_is_never_taken_for_another_calls(
    tasks: Path, monkeypatch: pytest.MonkeyPatch, lines: tuple[str, ...], others: list[str], told: str
) -> None:
    files = Files(tasks.parents[3], os.getpid())
    files.lines = lines
    live = LiveOutput(files)
    for other in others:
        called(live, other, "uptime")
    called(live, "call")
    (tasks / "b1.output").write_bytes(b"printed\n")
    live.look()
    monkeypatch.setattr(live_output, "_SEARCH_S", 0)
    for other in others:
        assert ended(live, other, "(Bash completed with no output)", {"stdout": ""}) == ""
    assert ended(live, "call", "[an image]", {"stdout": ""}) == told


@pytest.mark.anyio
async def test_without_a_file_a_result_says_what_was_printed(tmp_path: Path) -> None:
    live = LiveOutput(Files(tmp_path, os.getpid()))
    for call in ("first", "second", "third"):
        called(live, call)
    assert ended(live, "first", "one", {"stdout": "one"}) == "one"
    assert ended(live, "second", "Exit code 127\nnot found", "Error: Exit code 127\nnot found") == "not found"
    assert ended(live, "third", "<tool_use_error>no such parameter", "no such parameter") == ""
    called(live, "fourth")
    assert ended(live, "fourth", "of a subagent", None) == "of a subagent"
    called(live, "fifth")
    assert ended(live, "fifth", "(Bash completed with no output)", None) == ""
    assert ended(live, "unknown", "x", {"stdout": "x"}) == ""


@pytest.mark.anyio
async def test_of_two_equal_commands_each_is_told_what_it_printed(tasks: Path) -> None:
    files = Files(tasks.parents[3], os.getpid())
    files.lines = (LINE.format("'date'"),)
    live = LiveOutput(files)
    called(live, "first")
    (tasks / "b2.output").write_bytes(b"")  # the second's, which is told of a moment later; the first's was never seen
    live.look()
    called(live, "second")
    assert ended(live, "first", "one", {"stdout": "one"}) == "one"
    (tasks / "b2.output").write_bytes(b"two\n")
    assert ended(live, "second", "two", {"stdout": "two"}) == "two\n"


@pytest.mark.anyio
async def test_without_a_file_a_long_output_is_told_from_where_it_is_kept(tmp_path: Path) -> None:
    live = LiveOutput(Files(tmp_path, os.getpid()))
    kept = tmp_path / "kept.txt"
    for name, size in {"whole": 50_000, "too long": BOUND + 7}.items():
        kept.write_bytes(b"x" * size)
        called(live, name)
        result = ToolResult(tool_use_id=name, status="ok", content="<persisted-output>\nOutput too large")
        told = {"stdout": "x" * 30_000, "persistedOutputPath": str(kept), "persistedOutputSize": size}
        outputs = list(live.end(result, told))
        assert "".join(output.text for output in outputs) == "x" * min(size, BOUND)
        assert outputs[-1].truncated_bytes == (size - BOUND if size > BOUND else None)
    called(live, "gone")
    assert ended(live, "gone", "<persisted-output>", {"stdout": "x", "persistedOutputPath": str(tmp_path)}) == "x"


@pytest.mark.anyio
async def test_a_file_that_a_command_has_emptied_is_read_from_its_beginning(tmp_path: Path, tasks: Path) -> None:
    file = tasks / "b1.output"
    file.write_bytes(b"long before\n")
    [found] = CommandFiles(tmp_path, os.getpid()).appeared()
    assert found.read(100) == b"long before\n"
    file.write_bytes(b"after\n")
    assert found.read(100) == b"after\n"
    assert found.unread == 0
    found.close()


def test_nothing_is_read_but_regular_files_of_commands(tmp_path: Path, tasks: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tasks / "b1.output").symlink_to(tmp_path / "secret")
    (tasks / "b2.output").mkdir()
    os.mkfifo(tasks / "b3.output")
    (tasks / "a4.output").write_text("a subagent's")
    assert list(CommandFiles(tmp_path, os.getpid()).appeared()) == []
