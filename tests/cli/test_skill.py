"""``agent-skill list``, ``show``, ``new`` and ``check``: the folders of skills, at the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from skills_ref.validator import validate

from agent_workers.cli.skill import agent_skill
from agent_workers.skills.check import faults_of
from agent_workers.skills.load import load, load_examples
from agent_workers.skills.lookup import BUNDLED
from agent_workers.workers.skill import WORKER as SKILL
from tests.skills.folder import FRONT, OUTPUT, Folder, replaced
from tests.waiting import PATIENCE_S

EXAMPLES = Path(__file__).parents[2] / "examples/requests"

VARIABLE = "AGENT_WORKERS_SKILLS_PATH"
BUNDLED_NAMES = sorted(path.name for path in BUNDLED.iterdir() if (path / "SKILL.md").exists())


@pytest.fixture
def cwd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without skills, and none named by a variable."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)
    folder = tmp_path / "app"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def folder(cwd: Path) -> Folder:
    return Folder(cwd / ".agents/skills")


def run(*arguments: str, **environ: str) -> Result:
    ran = CliRunner().invoke(agent_skill, arguments, env=environ, prog_name="agent-skill")
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    return ran


def refused(*arguments: str, **environ: str) -> str:
    ran = run(*arguments, **environ)
    assert (ran.exit_code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    return ran.stderr.removeprefix(f"agent-skill {arguments[0]}: ").rstrip()


def listed(**environ: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(run("list", "--json", **environ).stdout)
    return document


# list


def test_every_skill_is_listed_with_what_it_says_of_itself(folder: Folder) -> None:
    path = folder.write()
    [own, *bundled] = listed()["skills"]
    assert own == {
        "name": "deal-score",
        "version": "1.2.0",
        "owner": "sales",
        "description": "Scores a deal. Use it before a forecast.",
        "license": "MIT",
        "folder": str(path),
        "place": "the working directory",
    }
    assert [each["name"] for each in bundled] == BUNDLED_NAMES
    assert {each["place"] for each in bundled} == {"bundled"}
    lines = run("list").stdout.splitlines()
    assert lines[0].split() == ["name", "version", "owner", "description", "where"]
    words = "deal-score 1.2.0 sales Scores a deal. Use it before a forecast. .agents/skills/deal-score"
    assert " ".join(lines[1].split()) == words


def test_a_skill_that_is_hidden_is_listed_with_what_hides_it(folder: Folder, cwd: Path) -> None:
    folder.write()
    other = Folder(cwd / "other").write()
    first, second, *_ = listed(**{VARIABLE: "other"})["skills"]
    assert (first["folder"], first.get("hidden_by")) == (str(other), None)
    assert (second["folder"], second["hidden_by"]) == (str(folder.path), str(other))
    assert "(hidden by other/deal-score)" in " ".join(run("list", **{VARIABLE: "other"}).stdout.split())


def test_a_skill_that_is_faulty_is_listed_as_such_and_the_others_are_too(folder: Folder, cwd: Path) -> None:
    folder.front = FRONT.replace("1.2.0", "one")
    folder.write()
    (cwd / ".agents/skills/empty").mkdir()
    (cwd / ".agents/skills/empty/SKILL.md").touch()
    first, second, *others = listed()["skills"]
    assert first["fault"].startswith("SKILL.md: /metadata/version: must be a semantic version")
    assert second["fault"].startswith("SKILL.md: line 1: must begin with front matter")
    assert "version" not in first
    assert len(others) == len(BUNDLED_NAMES)
    ran = run("list")
    assert ran.exit_code == 0
    assert ran.stdout.splitlines()[1].split() == ["deal-score", "FAULTY", ".agents/skills/deal-score"]
    assert "\ndeal-score is faulty: SKILL.md: /metadata/version: must be a semantic version" in ran.stdout


def test_a_place_that_cannot_be_looked_in_is_told(cwd: Path) -> None:
    (cwd / "file").touch()
    ran = run("list", **{VARIABLE: "file:gone"})
    assert ran.stderr == f"agent-skill list: {VARIABLE}: {cwd}/file cannot be read: Not a directory\n"
    assert ran.exit_code == 0
    assert listed(**{VARIABLE: "file:gone"})["places"] == [
        {"source": VARIABLE, "folder": f"{cwd}/file", "fault": "cannot be read: Not a directory"},
        {"source": VARIABLE, "folder": f"{cwd}/gone"},
        {"source": "the working directory", "folder": f"{cwd}/.agents/skills"},
        {"source": "bundled", "folder": str(BUNDLED)},
    ]


def test_text_of_others_moves_no_cursor(folder: Folder) -> None:
    folder.front = FRONT.replace("Scores a deal.", '"\\e[31mred\\e[0m \\u202Eturned [bold]tags[/bold]"').replace(
        " Use it before a forecast.", ""
    )
    folder.write()
    for ran in (run("list"), run("show", "deal-score")):
        assert "\x1b" not in ran.stdout
        assert "\u202e" not in ran.stdout
        assert "[bold]tags[/bold]" in ran.stdout


@pytest.mark.parametrize("columns", [100, 200])
def test_in_a_wide_terminal_each_skill_takes_one_line(folder: Folder, columns: int) -> None:
    folder.write()
    _, *lines = run("list", COLUMNS=str(columns)).stdout.splitlines()
    assert max(map(len, lines)) <= columns
    assert [line.split()[0] for line in lines] == ["deal-score", *BUNDLED_NAMES]
    assert lines[0].split()[:5] == ["deal-score", "1.2.0", "sales", "Scores", "a"]
    assert lines[0].rstrip().endswith(" .agents/skills/deal-score")


def test_in_a_narrow_terminal_no_name_is_broken(folder: Folder) -> None:
    folder.write()
    lines = run("list", COLUMNS="80").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    begins = [line.split()[0] for line in lines if not line.startswith(" ")]
    assert begins == ["deal-score", *BUNDLED_NAMES]


# show


def test_a_skill_is_shown_with_all_that_its_caller_needs(folder: Folder) -> None:
    folder.settings = f"tools: [Read]\nfallback_model: claude-z\nlimits: {{timeout_s: 60}}\n{folder.settings}"
    folder.write()
    ran = run("show", "deal-score")
    told = [" ".join(line.split()) for line in ran.stdout.splitlines()]
    for line in (
        "deal-score 1.2.0 (sales)",
        "Scores a deal. Use it before a forecast.",
        "folder .agents/skills/deal-score",
        "license MIT",
        "model claude-x, or claude-z while it is overloaded",
        "escalation claude-y tries once more where the checks fail or the confidence is low",
        "review a person should look at results below a confidence of 0.6",
        "limits 60 s",
        "tools Read (permissions: deny); needs cwd",
        "deal object yes",
        "deal.name text yes",
        "deal.budget_eur number",
        "deal.partners list of object",
        "deal.partners[].id text yes",
        "deal.tags.* text",
        "score number yes",
        "reasons[].evidence list of text",
        "- the number at /score is at least 0 and at most 1",
        "- each text at /reasons/*/evidence/* is a JSON pointer to a value of the input",
        "- each value at /partners/* is one of those at /deal/partners/*/id of the input",
        "- no value at /partners/* comes twice",
        "- the numbers at /costs/* add up to at most the number at /deal/budget_eur of the input",
        "- the number at /confidence tells from 0 to 1 how sure the answer is",
        "Example murtal",
    ):
        assert line in told, (line, told)
    assert 'Run it with a request {"input": {…}}: agent-skill deal-score --result < request.json' in told


@pytest.mark.parametrize(
    ("settings", "engine", "model"),
    [
        ("", "agent, or messages where the request or the host's policy says so", "the host's default"),
        ("engine: agent\n", "agent", "the default of the agent's CLI"),
        ("tools: [Read]\n", "agent, for its tools", "the default of the agent's CLI"),
        ("engine: messages\nmax_tokens: 900\n", "messages", "the default of the engine messages"),
    ],
)
def test_a_skill_is_shown_with_what_does_its_work(folder: Folder, settings: str, engine: str, model: str) -> None:
    folder.settings = settings
    folder.write()
    told = [" ".join(line.split()) for line in run("show", "deal-score").stdout.splitlines()]
    assert f"engine {engine}" in told
    assert f"model {model}" in told
    assert ("limits 900 tokens in an answer" in told) == ("max_tokens" in settings)


def test_a_skill_is_shown_as_json_with_its_schemas_and_an_example(folder: Folder) -> None:
    folder.write()
    shown = json.loads(run("show", "./.agents/skills/deal-score", "--json").stdout)
    assert shown["output_schema"] == OUTPUT
    assert shown["input"][1] == {"name": "deal.name", "type": "text", "required": True, "description": ""}
    assert shown["example"]["input"]["deal"]["name"] == "Murtal"
    assert shown["settings"]["review_below"] == 0.6
    assert len(shown["checks"]) == 6
    assert shown["examples"] == ["murtal"]


@pytest.mark.parametrize("name", BUNDLED_NAMES)
def test_each_bundled_skill_can_be_shown(cwd: Path, name: str) -> None:
    shown = run("show", name).stdout
    assert shown.startswith(f"{name} 1.")
    assert "any value" not in shown


# How a field is told.
@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": ["string", "null"]}, "text or null"),
        ({"type": "integer", "minimum": 1, "maximum": 5}, "whole number from 1 to 5"),
        ({"type": "number", "maximum": 0.5}, "number up to 0.5"),
        ({"enum": ["a", "b"]}, 'one of "a", "b"'),
        ({"const": True}, "true"),
        ({}, "any value"),
        ({"anyOf": [{"type": "boolean"}, {"$ref": "#/definitions/list"}]}, "true or false or list of whole number"),
        ({"type": "array", "items": {"type": "array", "items": {"type": "string"}}}, "list of list of text"),
        ({"type": "array"}, "list"),
    ],
)
def test_the_type_of_a_field_is_told_in_words(folder: Folder, schema: dict[str, Any], expected: str) -> None:
    definitions = {"list": {"type": "array", "items": {"type": "integer"}}}
    folder.output = {"type": "object", "properties": {"x": schema}, "definitions": definitions}
    folder.settings = None
    folder.write()
    assert json.loads(run("show", "deal-score", "--json").stdout)["output"][0]["type"] == expected


def test_a_schema_that_holds_itself_is_shown_once(folder: Folder) -> None:
    tree = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "below": {"type": "array", "items": {"$ref": "#"}}},
    }
    folder.output, folder.settings = tree, None
    folder.write()
    shown = json.loads(run("show", "deal-score", "--json").stdout)["output"]
    assert [field["name"] for field in shown] == ["name", "below"]


def test_a_field_that_one_of_several_forms_needs_is_not_called_required(folder: Folder) -> None:
    forms = [{"properties": {"a": {}}, "required": ["a"]}, {"properties": {"b": {}}, "required": ["b"]}]
    always = [{"properties": {"c": {}}, "required": ["c"]}]
    folder.output, folder.settings = {"type": "object", "oneOf": forms, "allOf": always}, None
    folder.write()
    shown = json.loads(run("show", "deal-score", "--json").stdout)["output"]
    assert {field["name"]: field["required"] for field in shown} == {"a": False, "b": False, "c": True}


def test_what_cannot_be_shown_is_refused_in_one_line(folder: Folder, cwd: Path) -> None:
    folder.front = "name: deal-score\n"
    folder.write()
    (cwd / "here").mkdir()
    assert refused("show", "deal-score").startswith("deal-score is faulty: SKILL.md: /description: is required: say")
    assert refused("show", "deal-scoer").startswith("there is no skill called 'deal-scoer'; did you mean deal-score? ")
    assert refused("show", "here").endswith("; for the folder of this name here say ./here")
    assert refused("show", "./gone").startswith("gone is faulty: there is no such folder")
    assert refused("show", "no\nname").startswith("there is no skill called 'no\\nname'; looked in")


# new


@pytest.mark.parametrize("name", ["deal-score", "x", "a1-b2-c3", "skill-name", "x" * 64])
def test_what_new_writes_is_right_as_it_is(cwd: Path, name: str) -> None:
    ran = run("new", name)
    path = cwd / ".agents/skills" / name
    assert (ran.exit_code, ran.stderr) == (0, "")
    assert faults_of(path) == []
    assert validate(path) == []
    skill = load(path)
    assert (skill.name, skill.version, skill.owner) == (name, "0.1.0", "your-team")
    assert len(load_examples(skill)) == 1
    assert f"  agent-skill check {name}\n  agent-skill test {name}\n" in ran.stdout
    assert run("check", name).exit_code == 0


@pytest.mark.parametrize("others", [("tools", "permissions"), ("engine", "max_tokens")])
def test_what_is_commented_out_in_the_new_settings_can_be_put_in(others: tuple[str, ...], cwd: Path) -> None:
    run("new", "deal-score")
    file = cwd / ".agents/skills/deal-score/agents/agent-workers.yaml"
    text = file.read_text()
    examples = [
        line for line in text.splitlines() if line.startswith(("# ", "#  ")) and ": " in line and "{check" not in line
    ]
    settings = {line.split(":")[0].removeprefix("# "): line for line in examples}
    put_in = [line for name, line in settings.items() if name.replace("_", "").isalpha() and name not in others]
    assert len(put_in) >= 6
    for line in put_in:
        text = text.replace(line, line.removeprefix("# "))
    file.write_text(text)
    assert list(map(str, faults_of(file.parents[1]))) == []


def test_a_new_skill_may_be_written_elsewhere(cwd: Path, tmp_path: Path) -> None:
    ran = run("new", "deal-score", "--in", "skills/of/ours")
    assert faults_of(cwd / "skills/of/ours/deal-score") == []
    assert "agent-skill check ./skills/of/ours/deal-score" in ran.stdout
    assert f"It is found by its name where {VARIABLE} names {cwd}/skills/of/ours." in ran.stdout
    assert run("check", "./skills/of/ours/deal-score").exit_code == 0
    known = run("new", "other", "--in", str(tmp_path / "known"), **{VARIABLE: str(tmp_path / "known")})
    assert "agent-skill check other\n" in known.stdout


def test_a_new_skill_is_told_what_it_hides_or_is_hidden_by(cwd: Path) -> None:
    [name, *_] = BUNDLED_NAMES
    assert f"It hides {BUNDLED / name}." in run("new", name).stdout
    Folder(cwd / "first", "deal-score").write()
    ran = run("new", "deal-score", **{VARIABLE: "first"})
    assert "It is hidden by first/deal-score, which is found before." in ran.stdout
    assert "agent-skill check ./.agents/skills/deal-score" in ran.stdout


@pytest.mark.parametrize("name", ["list", "show", "new", "check", "test"])
def test_a_skill_is_not_called_like_a_command(cwd: Path, name: str) -> None:
    assert refused("new", name).startswith(f"'{name}' is a command of agent-skill")
    assert list(cwd.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["Deal", "a_b", "-a", "a-", "a--b", "", ".", "..", "../a", "a/b", "é", "x" * 65, "a\n", "\x1b[31m"]
)
def test_a_name_that_no_skill_can_have_is_refused(cwd: Path, name: str) -> None:
    ran = run("new", "--", name)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "is no name of a skill: it must be" in ran.stderr
    assert "\x1b" not in ran.stderr
    assert list(cwd.iterdir()) == []


def test_what_exists_is_not_overwritten(folder: Folder, cwd: Path) -> None:
    path = folder.write()
    before = (path / "SKILL.md").read_text()
    assert refused("new", "deal-score") == ".agents/skills/deal-score exists; choose another name, or remove it first"
    assert (path / "SKILL.md").read_text() == before
    (cwd / ".agents/skills/link").symlink_to("nowhere")
    (cwd / "file").touch()
    assert refused("new", "link").startswith(".agents/skills/link exists")
    assert refused("new", "x", "--in", "file/below").startswith("file/below/x cannot be written: Not a directory")
    assert "file" in run("new", "x", "--in", "file").stderr


def test_a_folder_that_cannot_be_written_leaves_nothing(cwd: Path) -> None:
    (cwd / "full").mkdir()
    limited = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1200, 1200));"
        "from agent_workers.cli.skill import agent_skill; agent_skill(['new', 'x', '--in', 'full'])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", limited], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (ran.returncode, ran.stderr) == (2, "agent-skill new: full/x cannot be written: File too large\n")
    assert list((cwd / "full").iterdir()) == []


# check


def test_every_fault_is_told_and_the_status_says_that_there_are_any(folder: Folder) -> None:
    folder.front = FRONT.replace("sales", "''")
    folder.output = replaced(OUTPUT, "properties", "score", "type", by="nubmer")
    folder.write()
    ran = run("check", "deal-score")
    assert (ran.exit_code, ran.stderr) == (1, "")
    title, *lines = ran.stdout.splitlines()
    assert title == "deal-score: 2 faults (.agents/skills/deal-score)"
    assert [line.split(": ")[:2] for line in lines] == [
        ["  SKILL.md", "/metadata/owner"],
        ["  output.schema.json", "/properties/score/type"],
    ]
    [checked] = json.loads(run("check", "deal-score", "--json").stdout)["skills"]
    assert (checked["name"], checked["folder"]) == ("deal-score", str(folder.path))
    assert checked["faults"] == [fault.to_json() for fault in faults_of(folder.path)]
    assert "line" not in checked["faults"][0]


def test_without_names_all_are_checked_but_those_that_come_along(folder: Folder, cwd: Path) -> None:
    folder.write()
    other = Folder(cwd / "other")
    other.examples = {}
    other.write()
    ran = run("check", **{VARIABLE: "other"})
    assert ran.exit_code == 1
    assert [line for line in ran.stdout.splitlines() if not line.startswith(" ")] == [
        "deal-score: 1 fault (other/deal-score)",
        "deal-score: no faults (.agents/skills/deal-score)",
    ]
    assert run("check").exit_code == 0


def test_where_there_are_no_skills_that_is_said(cwd: Path) -> None:
    ran = run("check")
    assert (ran.exit_code, ran.stdout) == (0, "")
    assert (
        ran.stderr
        == f"agent-skill check: there are no skills but those that come along; looked in {cwd}/.agents/skills\n"
    )
    assert json.loads(run("check", "--json").stdout) == {"skills": []}


def test_several_skills_are_checked_by_name_and_folder_each_once(folder: Folder, cwd: Path) -> None:
    folder.write()
    broken = Folder(cwd, "broken")
    broken.text = ""
    broken.write()
    ran = run("check", "deal-score", "./broken", ".agents/skills/deal-score/", BUNDLED_NAMES[0], "./gone")
    assert ran.exit_code == 1
    assert [line.split(" (")[0] for line in ran.stdout.splitlines() if not line.startswith(" ")] == [
        *("deal-score: no faults", "broken: 1 fault", f"{BUNDLED_NAMES[0]}: no faults", "gone: 1 fault")
    ]


def test_a_skill_that_is_not_there_is_refused_before_any_is_checked(folder: Folder) -> None:
    folder.write()
    assert refused("check", "deal-score", "deal-scroe").startswith(
        "there is no skill called 'deal-scroe'; did you mean"
    )


def test_names_in_a_folder_move_no_cursor(folder: Folder) -> None:
    folder.write()
    folder.put("examples/\x1b[31m\n.json", "{")
    ran = run("check", "deal-score")
    assert "\x1b" not in ran.stdout
    assert len(ran.stdout.splitlines()) == 2


def test_a_folder_is_checked_from_within(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.write())
    assert run("check", ".").stdout == f"deal-score: no faults ({folder.path})\n"


def test_a_working_directory_that_was_removed_holds_no_skills_and_the_others_run(cwd: Path) -> None:
    cwd.rmdir()
    assert [each["name"] for each in listed()["skills"]] == BUNDLED_NAMES
    request = json.loads((EXAMPLES / "partner-health.json").read_text("utf-8"))
    use = SKILL.accept({"skill": "partner-health", **request}).skill_use
    assert use
    assert use.folder == BUNDLED / "partner-health"


# The program


def start(*arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
    """Starts the program as the launcher does."""
    program = f"{code}\nimport sys; sys.argv[1:1] = ['agent-skill']; from agent_workers.cli import start; start()"
    environ = {"PATH": os.defpath, "HOME": str(Path.cwd())}
    command = [sys.executable, "-EP", "-c", program, *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def test_the_program_starts_its_commands(folder: Folder) -> None:
    folder.write()
    ran = start("check", "deal-score")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "deal-score: no faults (.agents/skills/deal-score)\n", "")


def test_without_the_extra_the_program_says_what_to_install(cwd: Path) -> None:
    ran = start("list", code="import sys; sys.modules['yaml'] = None")
    expected = "agent-skill: pyyaml is missing. In a clone of this project: pip install '.[skills]'\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", expected)


@pytest.mark.parametrize("arguments", [(), ("list",), ("show",), ("new",), ("check",), ("test",)])
def test_help_needs_nothing_of_the_skills(arguments: tuple[str, ...]) -> None:
    before = set(sys.modules)
    ran = run(*arguments, "--help")
    assert (ran.exit_code, ran.stderr) == (0, "")
    assert "Examples:" in ran.stdout
    assert not {name for name in set(sys.modules) - before if name.startswith("agent_workers.skills.")}
