"""A skill's folder, read: the skill, or all that makes it unusable."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent_workers.skills.faults import Fault, SkillFaults
from agent_workers.skills.load import load, load_examples
from agent_workers.skills.settings import Settings
from tests.skills.folder import EXAMPLE, FRONT, INPUT, OUTPUT, SETTINGS, TEXT, Folder, replaced
from tests.waiting import PATIENCE_S


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def faults(folder: Folder) -> list[str]:
    with pytest.raises(SkillFaults) as refused:
        load(folder.write())
    assert refused.value.folder == folder.path
    return [str(fault) for fault in refused.value.faults]


def test_a_folder_is_read_as_the_skill_that_it_describes(folder: Folder) -> None:
    skill = load(folder.write())
    assert skill._replace(settings=Settings()) == (
        *("deal-score", "Scores a deal. Use it before a forecast.", "1.2.0", "sales", "MIT"),
        *(folder.path, TEXT.strip(), Settings(), INPUT, OUTPUT),
    )
    assert skill.settings.confidence_at == "/confidence"
    assert [check.check for check in skill.settings.checks][:2] == ["range", "evidence"]


def test_what_may_be_missing_is_empty(folder: Folder) -> None:
    folder.front = "name: deal-score\ndescription: x\n"
    folder.settings = None
    folder.examples = {}
    skill = load(folder.write())
    assert (skill.version, skill.owner, skill.license, skill.settings) == ("", "", "", Settings())
    assert load_examples(skill) == []


@pytest.mark.parametrize("settings", ["", "\n# nothing yet\n", "{}", "limits: {}\nchecks: []\n"])
def test_settings_that_say_nothing_are_the_defaults(folder: Folder, settings: str) -> None:
    folder.settings = settings
    assert load(folder.write()).settings == Settings()


def test_line_ends_of_windows_make_no_difference(folder: Folder) -> None:
    path = folder.write()
    before = load(path)
    for file in ("SKILL.md", "agents/agent-workers.yaml", "input.schema.json"):
        folder.put(file, (path / file).read_bytes().replace(b"\n", b"\r\n"))
    assert load(path) == before


def test_a_line_of_hyphens_below_the_front_matter_belongs_to_the_instructions(folder: Folder) -> None:
    folder.text = "One.\n\n---\n\nTwo: --- three.\n---\nname: other\n---\n"
    assert load(folder.write()).instructions == folder.text.rstrip()


@pytest.mark.parametrize(
    "front",
    [
        '{"name": "deal-score", "description": "As JSON."}\n',
        "name: deal-score\ndescription: >-\n  Over two\n  lines.\nallowed-tools: Read Bash(git:*)\n",
        "name: deal-score\ndescription: " + "ü" * 1024 + "\ncompatibility: " + "x" * 500 + "\n",
        "name: deal-score\ndescription: x\nmetadata: {version: 0.1.0-rc.1+build.5, team: a, since: 2026-11-26}\n",
    ],
)
def test_front_matter_of_many_shapes_is_read(folder: Folder, front: str) -> None:
    folder.front = front
    assert load(folder.write()).name == "deal-score"


# The front matter. Its pointer, and words of what is said.
@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ("description: x\n", "SKILL.md: /name: is required: write name: deal-score"),
        ("name: deal-score\n", "SKILL.md: /description: is required"),
        ("name: other\ndescription: x\n", "SKILL.md: /name: must be equal to the name of the folder, 'deal-score'"),
        ("name: Deal-Score\ndescription: x\n", "SKILL.md: /name: must be 1 to 64 of a-z 0-9 and single hyphens"),
        ("name: deal--score\ndescription: x\n", "SKILL.md: /name: must be 1 to 64 of a-z"),
        ("name: -deal\ndescription: x\n", "SKILL.md: /name: must be 1 to 64 of a-z"),
        ("name: deal-\ndescription: x\n", "SKILL.md: /name: must be 1 to 64 of a-z"),
        ("name: grün\ndescription: x\n", "SKILL.md: /name: must be 1 to 64 of a-z"),
        ('name: ""\ndescription: x\n', "SKILL.md: /name: must be 1 to 64 of a-z"),
        ('name: "deal-score\\n"\ndescription: x\n', "SKILL.md: /name: must be 1 to 64 of a-z"),
        (f"name: {'x' * 65}\ndescription: x\n", "SKILL.md: /name: must be at most 64 characters long, not 65"),
        ("name: 12\ndescription: x\n", "SKILL.md: /name: must be text, not a number; put it in quotes"),
        ("name:\ndescription: x\n", "SKILL.md: /name: must be text, not nothing; write the text"),
        ("name: deal-score\ndescription:\n", "SKILL.md: /description: must be text, not nothing"),
        ('name: deal-score\ndescription: "  "\n', "SKILL.md: /description: must not be empty"),
        ("name: deal-score\ndescription: [a]\n", "SKILL.md: /description: must be text, not a list"),
        (f"{FRONT}compatibility: {'x' * 501}\n", "SKILL.md: /compatibility: must be at most 500 characters long"),
        (f"{FRONT}compatibility: ''\n", "SKILL.md: /compatibility: must not be empty"),
        (f"{FRONT}allowed-tools: [Read]\n", "SKILL.md: /allowed-tools: must be text, not a list"),
        (FRONT.replace("MIT", "2.0"), "SKILL.md: /license: must be text, not a number; put it in quotes"),
        (FRONT.replace('"1.2.0"', "1.2"), "SKILL.md: /metadata/version: must be text, not a number; put it in quotes"),
        (FRONT.replace("1.2.0", "1.2"), "SKILL.md: /metadata/version: must be a semantic version"),
        (FRONT.replace("1.2.0", "v1.2.0"), "SKILL.md: /metadata/version: must be a semantic version"),
        (FRONT.replace("1.2.0", "1.02.0"), "SKILL.md: /metadata/version: must be a semantic version"),
        (FRONT.replace("1.2.0", "1.2.0-"), "SKILL.md: /metadata/version: must be a semantic version"),
        (
            FRONT.replace("1.2.0", "1.2.\u0661"),
            "SKILL.md: /metadata/version: must be a semantic version",
        ),
        (FRONT.replace("sales", "' '"), "SKILL.md: /metadata/owner: must not be empty"),
        (FRONT.replace("sales", "[a]"), "SKILL.md: /metadata/owner: must be text, not a list"),
        ("name: deal-score\ndescription: x\nmetadata: v1\n", "SKILL.md: /metadata: must be a mapping"),
        ("name: deal-score\ndescription: x\nmetadata:\n", "SKILL.md: /metadata: must be a mapping"),
        (f"{FRONT}licence: MIT\n", "SKILL.md: /licence: is not a field of Agent Skills"),
        (f"{FRONT}licence: MIT\n", "did you mean license?"),
        (f"{FRONT}allowed_tools: Read\n", "did you mean allowed-tools?"),
        (f"{FRONT}version: 1.0.0\n", "write it below metadata"),
        (f"{FRONT}model: x\n", "write it in agents/agent-workers.yaml"),
        (f"{FRONT}when/to: x\n", "SKILL.md: /when~1to: is not a field"),
        (
            f"{FRONT}license: MIT\n",
            "SKILL.md: line 8: the front matter is not read: the key 'license' appears more than",
        ),
        (f"{FRONT}x: [\n", "SKILL.md: line 8: the front matter is not valid YAML"),
        (f"{FRONT}x: a: b\n", "SKILL.md: line 8: the front matter is not valid YAML"),
        ("just text\n", "SKILL.md: line 1: the front matter must hold fields"),
        ("", "SKILL.md: line 1: the front matter must hold fields"),
    ],
)
def test_a_fault_of_the_front_matter_is_told_with_its_cure(folder: Folder, front: str, expected: str) -> None:
    folder.front = front
    assert any(expected in fault for fault in faults(folder)), faults(folder)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("# No front matter\n", "line 1: must begin with front matter"),
        ("---\nname: deal-score\n", "line 1: must begin with front matter"),
        ("\n---\nname: deal-score\n---\nText\n", "line 1: must begin with front matter"),
        ("", "line 1: must begin with front matter"),
        (f"---\n{FRONT}---\n\n \n", "line 8: has no instructions below the front matter"),
        (f"\ufeff---\n{FRONT}---\nText\n", "line 1: begins with a byte order mark; save it as UTF-8 without one"),
        (f"---\n{FRONT}---\nGr\xfc\xdfe\n".encode("latin-1"), "line 9: is not UTF-8: byte 0xfc at offset"),
        (f"---\n{FRONT}---\n".encode() + b"x" * (1 << 20), "is larger than 1048576 bytes"),
    ],
)
def test_what_is_no_skill_file_is_told_with_its_cure(folder: Folder, content: str | bytes, expected: str) -> None:
    folder.write()
    folder.front = None
    folder.put("SKILL.md", content)
    [fault] = faults(folder)
    assert fault.startswith(f"SKILL.md: {expected}")


def at(*where: str | int, by: Any) -> Any:
    return replaced(INPUT, *where, by=by)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (b"", "is empty; write one JSON object"),
        (b" \n", "is empty"),
        (b"[]", "must be a JSON object"),
        (b'{\n"type": "object",\n}', "line 3: not valid JSON at line 3, column 1"),
        (b'{"type": "object",\n"type": "object"}', "/type: appears more than once"),
        (b'{"x": NaN}', "NaN is not valid JSON"),
        (b'{"type": "obj\xffect"}', "line 1: is not UTF-8"),
        (at("properties", "deal", "type", by="objekt"), "/properties/deal/type: is not valid JSON Schema: must be one"),
        (at("type", by="array"), 'must describe an object: its "type" is "array"'),
        (at("definitions", "partner", by={"$ref": "https://x.test/a.json"}), "/definitions/partner/$ref: must begin"),
        (at("definitions", by=...), "/properties/deal/properties/partners/items/$ref: must point to a place"),
        (at("properties", "deal", "pattern", by="("), "/properties/deal/pattern: must be a regular expression"),
    ],
)
def test_a_fault_of_a_schema_is_told_with_its_place(folder: Folder, schema: Any, expected: str) -> None:
    folder.text = "No placeholder.\n"
    folder.input = schema
    assert any(fault.startswith(f"input.schema.json: {expected}") for fault in faults(folder)), faults(folder)


def test_every_invalid_keyword_of_both_schemas_is_told_at_once(folder: Folder) -> None:
    folder.input = replaced(at("required", by="deal"), "properties", "deal", "minProperties", by=-1)
    folder.output = replaced(OUTPUT, "properties", "score", "type", by="float")
    assert [fault.partition(": is not")[0] for fault in sorted(faults(folder))] == [
        "input.schema.json: /properties/deal/minProperties",
        "input.schema.json: /required",
        "output.schema.json: /properties/score/type",
    ]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("modle: x\n", "/modle: is not a known field; did you mean model?"),
        ("timeout_s: 5\n", "/timeout_s: is not a known field; did you mean limits.timeout_s?"),
        ("model:\n", "/model: must not be null: leave the field out instead"),
        ("max_turns: '5'\n", "/max_turns: must be a whole number, not a string"),
        ("corrections: 11\n", "/corrections: must be at most 10"),
        ("review_below: .nan\n", "/review_below: must be a number, not a string"),
        ("limits: {timeout: 5}\n", "/limits/timeout: is not a known field; did you mean timeout_s?"),
        ("checks: {check: range}\n", "/checks: must be a list"),
        ("checks: [{check: rnage, at: /score}]\n", "/checks/0: must be {check: NAME, at: /pointer, …}"),
        ("checks: [{check: range, at: score}]\n", "/checks/0/at: must be a JSON pointer, such as /reasons/*/topic"),
        ("checks: [{check: range, at: /a~b}]\n", "/checks/0/at: must be a JSON pointer"),
        ("checks: [{check: range}]\n", "/checks/0/at: is required"),
        ("checks: [{check: range, at: /score, maximum: 1}]\n", "/checks/0/maximum: is not a known field"),
        ("checks: [{check: ids, at: /score, of: /deal}]\n", "/checks/0/of: must be an object"),
        ("checks: [{check: range, at: /score, min: low}]\n", "/checks/0/min: must be a number, {input: /pointer}"),
        ("escalation: {when: [checks_failed]}\n", "/escalation/model: is required"),
        ("escalation: {model: x, when: [doubt]}\n", '/escalation/when/0: must be "checks_failed" or "low_confidence"'),
        ("tools: [read]\n", "/tools/0: must be the name of a tool, such as Read or mcp__server__tool; did you mean"),
        ("- model: x\n", "must be an object"),
        ("model: x\n model: y\n", "line 2: is not valid YAML"),
        ("model: x\nmodel: y\n", "line 2: the key 'model' appears more than once"),
        ("a: &a 1\nb: *a\n", "line 2: aliases"),
    ],
)
def test_a_fault_of_the_settings_is_told_as_one_of_a_request_is(folder: Folder, settings: str, expected: str) -> None:
    folder.settings = settings
    told = faults(folder)
    assert any(fault.startswith(f"agents/agent-workers.yaml: {expected}") for fault in told), told


@pytest.mark.parametrize(
    ("placeholder", "expected"),
    [
        ("{{ input.deal.nmae }}", "input.deal has no 'nmae'; did you mean name?"),
        (
            "{{input.deal.owner}}",
            "input.deal has no 'owner'; it has budget_eur, name, partners, tags",
        ),
        ("{{ input.note }}", "input has no 'note'; it has deal"),
        ("{{ input.deal.name.first }}", "input.deal.name is no object and has nothing below it"),
        (
            "{{ input.deal.partners.id }}",
            "input.deal.partners is a list; name one of its items by a number",
        ),
        ("{{ output.score }}", "is no placeholder; write {{ input.NAME }}"),
        ("{{ deal }}", "is no placeholder"),
        ("{{ input }", "is no placeholder"),
        ("{{ input.deal.name", "is no placeholder"),
        ("{{ input..deal }}", "is no placeholder"),
        ("{{}}", "is no placeholder"),
    ],
)
def test_a_placeholder_that_the_input_schema_does_not_know_is_a_fault(
    folder: Folder, placeholder: str, expected: str
) -> None:
    folder.text = f"One.\n\nTwo {placeholder} three.\n"
    [fault] = faults(folder)
    assert fault.startswith(f"SKILL.md: line 12: {placeholder}")
    assert expected in fault.replace(" in input.schema.json", "")


@pytest.mark.parametrize(
    "placeholder",
    [
        *("{{ input }}", "{{input.deal}}", "{{ input.deal.partners }}", "{{ input.deal.partners.0.id }}"),
        *("{{ input.deal.tags.anything }}", "{ input.deal }", "}} {"),
    ],
)
def test_a_placeholder_that_the_input_schema_knows_is_none(folder: Folder, placeholder: str) -> None:
    folder.text = f"Two {placeholder} three.\n"
    assert load(folder.write()).instructions == folder.text.strip()


def test_all_faults_of_the_first_stage_are_told_together(folder: Folder) -> None:
    folder.front = "name: other\ndescription: ''\n"
    folder.settings = "modle: x\ncorrections: -1\n"
    folder.input = []
    folder.output = None
    assert [fault.partition(":")[0] for fault in faults(folder)] == [
        *("SKILL.md", "SKILL.md", "agents/agent-workers.yaml", "agents/agent-workers.yaml"),
        *("input.schema.json", "output.schema.json"),
    ]


def test_a_missing_file_is_told_with_the_one_that_was_meant(folder: Folder) -> None:
    folder.write()
    (folder.path / "input.schema.json").rename(folder.path / "input_schema.json")
    (folder.path / "SKILL.md").rename(folder.path / "skill.md")
    (folder.path / "output.schema.json").unlink()
    with pytest.raises(SkillFaults) as refused:
        load(folder.path)
    assert refused.value.faults == [
        Fault("SKILL.md", "", "is missing; rename 'skill.md' to it"),
        Fault("input.schema.json", "", "is missing; rename 'input_schema.json' to it"),
        Fault("output.schema.json", "", "is missing; write it; agent-skill new shows how"),
    ]


def test_what_is_no_folder_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    for name, words in (("none", "there is no such folder"), ("dangling", "there is no"), ("file", "is a file")):
        with pytest.raises(SkillFaults, match=words) as refused:
            load(tmp_path / name)
        assert len(refused.value.faults) == 1


def test_a_link_to_a_folder_bears_the_skills_name(folder: Folder, tmp_path: Path) -> None:
    folder.path = tmp_path / "store"
    folder.write()
    (tmp_path / "deal-score").symlink_to("store")
    assert load(tmp_path / "deal-score").name == "deal-score"
    with pytest.raises(SkillFaults, match="must be equal to the name of the folder, 'store'"):
        load(tmp_path / "store")


def test_the_folder_may_be_named_from_within(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.write())
    assert load(Path()).name == load(Path("examples/..")).name == "deal-score"


@pytest.mark.parametrize("file", ["SKILL.md", "agents/agent-workers.yaml", "input.schema.json", "output.schema.json"])
def test_a_link_out_of_the_folder_is_not_followed(folder: Folder, file: str, tmp_path: Path) -> None:
    path = folder.write() / file
    secret = tmp_path / "secret"
    path.rename(secret)
    path.symlink_to(secret)
    with pytest.raises(SkillFaults) as refused:
        load(folder.path)
    assert refused.value.faults == [Fault(file, "", "is a link that leads out of the folder; put the file itself here")]


def test_a_link_within_the_folder_is_followed(folder: Folder) -> None:
    path = folder.write()
    (path / "agents/agent-workers.yaml").rename(path / "settings.yaml")
    (path / "agents/agent-workers.yaml").symlink_to("../settings.yaml")
    assert load(path).settings.model == "claude-x"


def test_what_is_no_file_is_not_waited_for(folder: Folder) -> None:
    path = folder.write()
    for file in ("SKILL.md", "input.schema.json", "output.schema.json", "agents/agent-workers.yaml"):
        (path / file).unlink()
    os.mkfifo(path / "SKILL.md")
    (path / "input.schema.json").mkdir()
    (path / "output.schema.json").symlink_to("output.schema.json")
    (path / "agents/agent-workers.yaml").symlink_to("gone.yaml")
    with pytest.raises(SkillFaults) as refused:
        load(path)
    told = {fault.file: fault.message for fault in refused.value.faults}
    assert told["SKILL.md"] == told["input.schema.json"] == "is no file; put a file here"
    assert told["output.schema.json"].startswith("cannot be read: ")
    assert told["agents/agent-workers.yaml"].startswith("is a link that leads nowhere")


# Examples


def test_examples_are_read_by_name(folder: Folder) -> None:
    folder.examples = {"b": EXAMPLE, "a": {"input": {}, "output": {"x": 1}}}
    path = folder.write()
    folder.put("examples/notes.txt", "no example")
    folder.put("examples/.b.json", "no example")
    first, second = load_examples(load(path))
    assert first == ("a", {}, {"x": 1}, ())
    assert second == ("b", EXAMPLE["input"], EXAMPLE["output"], ("/score", "/reasons/*/topic"))


@pytest.mark.parametrize(
    ("example", "expected"),
    [
        ("{", "line 1: not valid JSON at line 1"),
        ("[]", "must be a JSON object"),
        ({"output": {}}, "/input: is required"),
        ({"input": {}, "output": []}, "/output: must be an object"),
        ({"input": {}, "output": {}, "decisive": "/score"}, "/decisive: must be a list of JSON pointers"),
        ({"input": {}, "output": {}, "decisive": ["score"]}, "/decisive/0: must be a JSON pointer"),
        ({"input": {}, "output": {}, "decisive": [1]}, "/decisive/0: must be a JSON pointer"),
        ({"input": {}, "output": {}, "decisve": []}, "/decisve: is not a known field; did you mean decisive?"),
        ({"input": {}, "output": {}, "why": ""}, "/why: is not a known field; an example has input, output, decisive"),
    ],
)
def test_what_is_no_example_is_told(folder: Folder, example: Any, expected: str) -> None:
    folder.examples["other"] = example
    skill = load(folder.write())
    with pytest.raises(SkillFaults) as refused:
        load_examples(skill)
    [fault] = refused.value.faults
    assert str(fault).startswith(f"examples/other.json: {expected}")


def test_the_text_of_the_exception_tells_the_first_faults_and_counts_the_rest(tmp_path: Path) -> None:
    refused = SkillFaults(tmp_path, [Fault("f", f"/{n}", "is wrong") for n in range(5)])
    assert str(refused) == "f: /0: is wrong; f: /1: is wrong; f: /2: is wrong; and 2 more"


def test_a_sound_skill_is_loaded_without_what_only_faults_need(folder: Folder) -> None:
    code = (
        "import sys; from pathlib import Path; from agent_workers.skills.load import load; load(Path(sys.argv[1]));"
        "from agent_workers.skills.lookup import find; find(Path(sys.argv[1]).name, {}, Path(sys.argv[2]));"
        "print(*{'agent_workers.protocol.v1.explain', 'difflib', 'click'} & sys.modules.keys())"
    )
    place = folder.path.parent / ".agents/skills"
    folder.path = place / folder.path.name
    command = [sys.executable, "-c", code, str(folder.write()), str(place.parent.parent)]
    loaded = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert loaded.stdout.split() == []


def test_the_settings_of_these_tests_are_sound(folder: Folder) -> None:
    assert SETTINGS.count("check:") == len(load(folder.write()).settings.checks)
