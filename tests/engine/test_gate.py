"""Which commands and addresses need no permission: those of a list, below the working directories."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent_workers.engine.claude.questions import gate
from agent_workers.engine.claude.questions.gate import Gate
from agent_workers.protocol.v1.tools import BUILT_IN_TOOLS
from tests.waiting import PATIENCE_S

README = Path(__file__).parents[2] / "README.md"
HARMLESS = [
    *("echo hello", "echo 'a; b' \"c d\"", "printf '%s\\n' a", "pwd", "true", "date", "date -u +%F", "basename a/b .c"),
    *("ls", "ls -la", "ls -R sub", "cat a", "cat -n a sub/b", "cat ./a", "cat sub/../a", "head -5 a", "head -n 5 a"),
    *("tail -n +2 a", "wc -l a sub/b", "grep -rn needle .", "grep -c 'x.*y' a", "sort -k2,2n a", "uniq -c a"),
    *("cut -d, -f2 a", "cat a | sort | uniq -c | head -3", "echo a && ls; pwd", "ls sub || true", "tr a-z A-Z"),
    *("ls 2>/dev/null", "ls 2>&1 | head", "cat a >/dev/null", "echo one\necho two", "cat hard", "ls -1 < /dev/null"),
]
NOT_HARMLESS = [
    # Programs that tell of others' business, or are not on the list.
    *(
        "docker ps",
        "docker inspect x",
        "docker logs x",
        "lsof",
        "ss -tlnp",
        "pgrep -a x",
        "ps aux",
        "du -a /root",
        "du",
    ),
    *("test -f /etc/passwd", "[ -f /etc/passwd ]", "which ls", "id", "whoami", "hostname", "env", "printenv", "set"),
    *(
        "git status",
        "find . -name x",
        "find . -delete",
        "stat a",
        "file a",
        "df",
        "mount",
        "netstat",
        "ip a",
        "sleep 9",
    ),
    *(
        "xargs cat",
        "awk 1 a",
        "sed -n p a",
        "tree",
        "jq . a",
        "diff sub other",
        "readlink -f link",
        "type ls",
        "base64 a",
    ),
    *(
        "python3 -c 1",
        "sh -c ls",
        "bash a",
        "./ls",
        "/bin/ls",
        "sub/ls",
        "command ls",
        "builtin echo",
        "exec ls",
        "\\ls",
    ),
    *(
        "LS",
        "Echo a",
        "\uff45cho a",
        "ls\u00a0-l",
        "echo\u2028a | docker ps",
        "env ls",
        "X=1 ls",
        "time ls",
        "nohup ls",
    ),
    # Places outside, however they are spelled.
    *("cat /etc/passwd", "cat ../secret", "cat link", "cat linked/secret", "cat sub/../../secret", "ls ..", "ls /"),
    *("cat ~/x", "ls ~", "ls ~root", "ls /proc/self/root", "cat /proc/self/environ", "cat ./link"),
    *("cat 'link'", 'cat "li"nk', "cat ''link", "head -5 /etc/passwd", "wc -c link", "sort link", "grep x /etc/passwd"),
    *("ls a /etc", "cat a b/../link", "grep -r x linked", "tac link", "cmp a link", "uniq link", "cut -c1-9 link"),
    # Options that write, run programs, follow links or name files.
    *("sort -o a a", "sort -oa a", "sort --output=a a", "sort --compress-program=sh a", "sort -T sub a", "uniq a b"),
    *("date -s 2020-01-01", "date 01010000", "date -f a", "date --file=/etc/passwd", "grep -f link a", "grep -flink a"),
    *("grep -R x .", "grep --include=* -r x", "wc --files0-from=link", "ls -L linked", "ls -H linked", "tail -f a"),
    *(
        "head --lines=3 a",
        "cat --help",
        "printf -v PATH x",
        "printf -vPATH sub && ls",
        "printf -v'PATH' x",
        "cut --output-delimiter=x a",
        "tail --pid=1 a",
    ),
    # What the shell would make something else of.
    *("echo *", "echo /etc/.*", "ls *", "cat l*", "cat lin?", "cat [l]ink", "cat {a,link}", "echo STATE/claude/*/*"),
    *(
        "echo $HOME",
        'echo "$HOME"',
        "cat ${X}",
        "echo $(id)",
        "echo `id`",
        'echo "$(id)"',
        "cat <(id)",
        "echo $'\\x41'",
    ),
    *("echo a > b", "echo a >> b", "cat < link", "echo a >&2 b", "ls > /dev/null2", "ls 2>&1x", "echo a 2>b"),
    *("ls & docker ps", "ls &", "(ls)", "{ ls; }", "! ls", "if true; then ls; fi", "for x in a; do echo x; done"),
    *(
        "echo a; docker ps",
        "docker ps | head",
        "ls && lsof",
        "ls || ss",
        "echo a\ndocker ps",
        "echo a |& cat",
        "cd sub",
    ),
    *("cat <<EOF\na\nEOF", "echo a # b", "cd .. && cat secret", "pushd / ; ls", "ls() { id; }", "alias ls=id", ""),
    *("echo 'a", 'echo "a', "cat a\0b", "!!", "ls;;", ";", "&& ls", "| ls", "echo a\\\nb", "[[ -f /etc/passwd ]]"),
]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working directory with links that lead out of it."""
    work = tmp_path / "work"
    (work / "sub").mkdir(parents=True)
    (tmp_path / "secret").write_text("canary")
    (work / "link").symlink_to(tmp_path / "secret")
    (work / "linked").symlink_to(tmp_path)
    (work / "hard").hardlink_to(tmp_path / "secret")
    return work


def passes(work: Path, command: str, *allow: str, deny: tuple[str, ...] = (), edits: bool = False) -> bool:
    gate = Gate(allow=allow, deny=deny, directories=[str(work)], edits=edits)
    return gate.passes("Bash", {"command": command}, str(work))


def test_a_command_of_the_list_needs_no_permission_below_the_working_directory(work: Path) -> None:
    assert [command for command in HARMLESS if not passes(work, command)] == []


def test_every_other_command_needs_one(work: Path) -> None:
    assert [command for command in NOT_HARMLESS if passes(work, command)] == []


def test_where_edits_are_accepted_every_other_command_needs_one_that_changes_no_file(work: Path) -> None:
    changing = ["sed -n p a", "echo a > b", "echo a >> b", "echo a 2>b"]
    assert [command for command in NOT_HARMLESS if passes(work, command, edits=True)] == changing


@pytest.mark.parametrize(
    "command", ["mkdir -p a/b", "touch x", "rm -rf sub", "mv a b", "cp -r sub other", "echo a > x"]
)
def test_where_edits_are_accepted_so_are_commands_that_make_them(work: Path, command: str) -> None:
    assert passes(work, command, edits=True)
    assert not passes(work, command)


def test_edits_by_commands_stay_below_the_working_directory(work: Path) -> None:
    commands = [
        *("touch ../x", "rm -rf linked", "cp link x", "mv a /tmp", "cp a linked", "mkdir ~/x", "rm *", "echo a > ../x"),
        *(
            "echo a > linked/x",
            "cp -L link x",
            "cp --target-directory=/tmp a",
            "sed -f a b",
            "ln -s /etc x",
            "touch -r link a",
        ),
    ]
    assert [command for command in commands if passes(work, command, edits=True)] == []


def test_what_a_command_moves_is_not_named_again_in_the_same_line(work: Path) -> None:
    """It may be a link that leads elsewhere from its new place."""
    commands = [
        *("mv linkdir other && cat other/secret", "mv sub other; echo a > other/x", "cp -r sub other\ntouch other/x"),
        *(
            "cat other/a | mv sub other",
            "mv sub other | cat other/a",
            "mv sub b && mv a b/x",
            "echo a | cp -r sub b && ls",
        ),
    ]
    assert [command for command in commands if passes(work, command, edits=True)] == []


@pytest.mark.parametrize("command", ["mkdir -p b && mv a b/", "cat a | wc -l && mv a b", "cp -r sub b && echo done"])
def test_before_it_is_moved_it_may_be_named(work: Path, command: str) -> None:
    assert passes(work, command, edits=True)


@pytest.mark.parametrize(
    ("rule", "command"),
    [
        ("Bash(npm run:*)", "npm run build"),
        ("Bash(npm run:*)", "npm run build 2>&1 | tail -5"),
        ("Bash(npm run:*)", "npm run build > out.txt"),
        ("Bash(npm run:*)", "ls && npm run build"),
        ("Bash(npm run:*)", "CI=1 npm run build"),
        ("Bash(npm run:*)", "timeout 60 npm run build"),
        ("Bash(npm run:*)", "npm run build -- $FLAGS"),
        ("Bash(npm run *)", "npm run build"),
        ("Bash(npm * --dry-run)", "npm publish --dry-run"),
        ("Bash(make)", "make"),
        ("Bash(cat notes.txt && pwd)", "cat notes.txt && pwd"),
        ("Bash(cat $(ls))", "cat $(ls)"),
        ("Bash", "docker ps"),
    ],
)
def test_a_command_that_a_rule_covers_is_left_to_the_rules(work: Path, rule: str, command: str) -> None:
    assert passes(work, command, rule)


def test_a_rule_brings_no_other_command_along(work: Path) -> None:
    commands = [
        *(
            "npm runx",
            "npm install",
            "npm run x && lsof",
            "lsof; npm run x",
            "npm run x | xargs lsof",
            "npm run x $(lsof)",
        ),
        *(
            "npm run x & lsof",
            "(npm run x; lsof)",
            "npm run x `lsof`",
            "npm run x <(lsof)",
            "lsof npm run x",
            "X=$(id) npm run x",
        ),
        *(
            "timeout 5 lsof",
            "nohup lsof npm run",
            "npm run x\nlsof",
            "{ npm run x; lsof; }",
            "if npm run x; then lsof; fi",
        ),
    ]
    assert [command for command in commands if passes(work, command, "Bash(npm run:*)", "Read")] == []


@pytest.mark.parametrize("first", ["cd /etc", "export PATH=.", "alias ls=id", "source x", "set -a", "pushd /", ". x"])
def test_after_a_command_that_changes_the_shell_nothing_is_harmless(work: Path, first: str) -> None:
    rules = [f"Bash({first.split(maxsplit=1)[0]}:*)", "Bash(npm:*)"]
    assert passes(work, first, *rules)
    assert passes(work, f"{first} && npm test", *rules)
    assert not passes(work, f"{first} && ls", *rules)
    assert not passes(work, f"{first}; cat passwd", *rules)


def test_a_command_that_a_deny_rule_names_is_left_to_it(work: Path) -> None:
    assert passes(work, "lsof -h", deny=("Bash(lsof:*)",))
    assert not passes(work, "X=1 lsof", deny=("Bash(lsof:*)",))


@pytest.mark.parametrize(
    ("url", "passed"),
    [
        ("https://example.com/a", True),
        ("https://EXAMPLE.com:8443", True),
        ("https://docs.python.org/3/", False),
        ("https://example.com.evil.example/", False),
        ("https://example.com@evil.example/", False),
        ("https://evil.example/#https://example.com/", False),
        ("https://example.com\\@evil.example/", False),
        ("file:///etc/passwd", False),
        ("example.com", False),
        (7, False),
    ],
)
def test_an_address_needs_a_rule_for_its_host(work: Path, url: Any, passed: bool) -> None:
    gate = Gate(allow=["WebFetch(domain:example.com)"], directories=[str(work)])
    assert gate.passes("WebFetch", {"url": url}, str(work)) is passed
    assert not Gate(directories=[str(work)]).passes("WebFetch", {"url": url}, str(work))
    assert Gate(allow=["WebFetch"], directories=[str(work)]).passes("WebFetch", {"url": url}, str(work))


@pytest.mark.parametrize("tool_input", [{}, {"command": None}, {"command": ["ls"]}], ids=str)
def test_what_is_no_command_needs_a_permission(work: Path, tool_input: dict[str, Any]) -> None:
    assert not Gate(directories=[str(work)]).passes("Bash", tool_input, str(work))


def test_a_path_is_relative_to_where_the_command_runs(work: Path) -> None:
    gate = Gate(directories=[str(work)])
    assert gate.passes("Bash", {"command": "cat ../a"}, str(work / "sub"))
    assert not gate.passes("Bash", {"command": "cat passwd"}, "/etc")


@pytest.mark.parametrize(("command", "decision"), [("ls", None), ("lsof", "ask")])
def test_the_program_asks_or_says_nothing(work: Path, command: str, decision: str | None) -> None:
    rules = work / "rules"
    rules.write_text(json.dumps({"allow": [], "deny": [], "directories": [str(work)], "edits": False}))
    call = {"tool_name": "Bash", "tool_input": {"command": command}, "cwd": str(work)}
    program = [sys.executable, "-I", "-S", gate.__file__, str(rules)]
    told = subprocess.run(
        program, input=json.dumps(call), capture_output=True, text=True, timeout=PATIENCE_S, check=True
    ).stdout
    assert (json.loads(told)["hookSpecificOutput"]["permissionDecision"] if told else None) == decision


def test_the_readme_lists_the_commands_that_need_no_permission() -> None:
    sentence = README.read_text("utf-8").partition("Neither do these commands")[2].partition("Every other")[0]
    always, _, edits = sentence.partition("in mode")
    assert set(re.findall("`([a-z]+)`", always)) == gate.HARMLESS.keys() | gate.TEXT
    assert set(re.findall("`([a-z]+)`", edits)) == gate.EDITS.keys()


@pytest.mark.parametrize("tool", [tool.name for tool in BUILT_IN_TOOLS.values() if tool.guarded])
def test_no_tool_passes_the_gate_unseen_that_the_cli_might_run_without_a_question(tool: str) -> None:
    assert not Gate(directories=["/work"]).passes(tool, {}, "/work")
