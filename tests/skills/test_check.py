"""``faults_of``: everything that is wrong with a skill's folder, at once, each with its cure."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skills_ref.validator import validate

from agent_workers.skills import example_check
from agent_workers.skills.check import faults_of
from agent_workers.skills.lookup import BUNDLED
from tests.skills.folder import EXAMPLE, FRONT, INPUT, NAME, OUTPUT, SETTINGS, TEXT, Folder, replaced

YAML = "agents/agent-workers.yaml"
ONE = "examples/murtal.json"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def told(folder: Folder) -> list[str]:
    return [str(fault) for fault in faults_of(folder.write())]


def only(folder: Folder) -> str:
    [fault] = told(folder)
    return fault


def test_a_folder_that_is_right_has_no_fault(folder: Folder) -> None:
    assert told(folder) == []
    assert validate(folder.path) == []


@pytest.mark.parametrize("name", sorted(path.name for path in BUNDLED.glob("[a-z]*")))
def test_a_bundled_skill_has_no_fault_and_passes_the_validator_of_agent_skills(name: str) -> None:
    assert [str(fault) for fault in faults_of(BUNDLED / name)] == []
    assert validate(BUNDLED / name) == []


def test_eight_faults_are_all_told_at_once_each_with_its_cure(folder: Folder) -> None:
    folder.front = FRONT.replace("name: deal-score", "name: deal-scores").replace("1.2.0", "1.2")
    folder.text = "The deal is {{ input.deal.nmae }}.\n"
    folder.settings = SETTINGS.replace("at: /score", "at: /scroe").replace("review_below", "reveiw_below")
    folder.input = replaced(INPUT, "properties", "deal", "properties", "budget_eur", "type", by="euros")
    folder.output = replaced(OUTPUT, "properties", "confidence", "mininum", by=0)
    folder.examples["murtal"] = replaced(EXAMPLE, "output", "partners", by=["p9"])
    assert [(fault.file, fault.pointer, fault.line) for fault in faults_of(folder.write())] == [
        ("SKILL.md", "/name", None),
        ("SKILL.md", "/metadata/version", None),
        ("SKILL.md", "", 10),
        (YAML, "/reveiw_below", None),
        (YAML, "/escalation/when/1", None),
        (YAML, "/checks/0/at", None),
        ("input.schema.json", "/properties/deal/properties/budget_eur/type", None),
        ("output.schema.json", "/properties/confidence/mininum", None),
        (ONE, "/output/partners/0", None),
    ]
    cures = [
        "must be equal to the name of the folder, 'deal-score'; rename one of the two",
        "MAJOR.MINOR.PATCH",
        "did you mean name?",
        "did you mean review_below?",
        "it needs review_below",
        "did you mean score?",
        "must be one of array, boolean",
        "did you mean minimum?",
        'must be one of the ids at /deal/partners/*/id of the input, not "p9"',
    ]
    for fault, cure in zip(faults_of(folder.path), cures, strict=True):
        assert cure in fault.message


def test_what_is_no_folder_has_one_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert [str(fault) for fault in faults_of(tmp_path / "gone")] == [
        "there is no such folder; check its name, or write it with agent-skill new"
    ]
    assert [str(fault) for fault in faults_of(tmp_path / "file")] == ["is a file; name the folder that holds it"]


def test_an_empty_folder_lacks_every_file(tmp_path: Path) -> None:
    assert [fault.file for fault in faults_of(tmp_path)] == [
        *("SKILL.md", "input.schema.json", "output.schema.json", "examples")
    ]


def test_a_file_that_cannot_be_read_keeps_no_other_from_being_checked(folder: Folder) -> None:
    folder.settings = "model: [\n"
    folder.output = b"\xff"  # type: ignore[assignment]
    folder.text = "{{ input.x }}\n"
    folder.examples = {"a": {"input": {}, "output": {}}, "b": "{"}
    assert [fault.split(":")[0] for fault in told(folder)] == [
        *("SKILL.md", YAML, "output.schema.json", "examples/a.json", "examples/b.json")
    ]


# SKILL.md


def test_a_version_and_an_owner_are_wanted(folder: Folder) -> None:
    folder.front = f"name: {NAME}\ndescription: x\n"
    assert told(folder) == [
        'SKILL.md: /metadata/version: is required: the version of the skill, such as "1.0.0", which its results tell',
        "SKILL.md: /metadata/owner: is required: the team that answers for the skill",
    ]


@pytest.mark.parametrize("name", ["list", "show", "new", "check", "test"])
def test_a_skill_cannot_be_called_like_a_command(tmp_path: Path, name: str) -> None:
    fault = only(Folder(tmp_path, name))
    assert fault.startswith("SKILL.md: /name: is a command of agent-skill")


@pytest.mark.parametrize(
    ("front", "line", "words"),
    [
        (
            f"license: a --- b\n{FRONT.replace('license: MIT', '')}",
            2,
            "holds ---, which other readers take for the end",
        ),
        (f"name: {NAME}\ndescription: x\nmetadata: {{version: 1.0.0, owner: a}}\n", 4, "has {…}, which strict readers"),
        (FRONT.replace("sales", "!!str sales"), 7, "has a tag, which strict readers"),
        (FRONT.replace("sales", "&team sales"), 7, "has an anchor, which strict readers"),
    ],
)
def test_what_the_validator_of_agent_skills_does_not_read_is_told(
    folder: Folder, front: str, line: int, words: str
) -> None:
    folder.front = front
    fault = only(folder)
    assert fault.startswith(f"SKILL.md: line {line}: ")
    assert words in fault
    assert validate(folder.path) != []


_VALUES = st.one_of(
    st.sampled_from([NAME, "x", "1.0", "yes", "~", "''", '"a: b"', "[a]", "{a: b}", ">-\n  folded\n  text", "|\n  a"]),
    st.sampled_from(["", "\n  version: 1.0.0\n  owner: sales", "\n  a: b", "a: b", "'--- '", "!!str a", "&a b", "*a"]),
    st.sampled_from(
        ["\n  - a", "x" * 1025, "@a", "a #b", "\t", "a\n b", "é", "'a", '"\\x00"', "%a", "`a`", "? a", "-"]
    ),
    st.text(alphabet="ab-:#'\" \n{}[],&*!|>%@é\t", max_size=12),
)
_KEYS = st.sampled_from(
    [
        "name",
        "description",
        "license",
        "compatibility",
        "metadata",
        "allowed-tools",
        "x",
        "Name",
        "name ",
        "'name'",
        "?",
        "- a",
    ]
)
_FRONTS = st.one_of(
    st.lists(st.tuples(_KEYS, _VALUES), max_size=5).map(lambda fields: [*fields]),
    st.lists(st.tuples(_KEYS, _VALUES), max_size=3).map(lambda fields: [("name", NAME), ("description", "x"), *fields]),
)


@given(fields=_FRONTS, end=st.sampled_from(["---\n", "---", "--- \n", "...\n", ""]))
@settings(max_examples=80, deadline=None)
def test_what_the_validator_of_agent_skills_refuses_is_refused_here(
    tmp_path_factory: pytest.TempPathFactory, fields: list[tuple[str, str]], end: str
) -> None:
    path = tmp_path_factory.mktemp("skills") / NAME
    path.mkdir()
    text = "---\n" + "".join(f"{key}: {value}\n" for key, value in fields) + end + "\nDo it.\n"
    (path / "SKILL.md").write_text(text, "utf-8")
    ours = [fault for fault in faults_of(path) if fault.file == "SKILL.md" and "is required: the " not in fault.message]
    if not ours:
        assert validate(path) == []


# The settings, as such


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tools: [Raed]", "/tools/0: is not a known tool; did you mean Read?"),
        ("tools: [Zzz]", "/tools/0: is not a known tool; one of: Agent, AskUserQuestion, Bash"),
        ("tools: [Read, Glob, Read]", "/tools/2: is listed more than once; remove one of them"),
        ("tools: [Read]\npermissions: {allow: [Glob]}", "/permissions/allow/0: allows Glob, which is not in tools"),
        ("permissions: {allow: [Read]}", "/permissions/allow/0: allows Read, which is not in tools"),
        ("tools: [Edit]\npermissions: {allow: [Edit(/etc/**)]}", "/permissions/allow/0: must be relative to cwd"),
        ("permissions: {deny: [Read(/etc/**)]}", "/permissions/deny/0: must be relative to cwd"),
        ("tools: [Bash]\npermissions: {mode: defer, allow: [Bash(ls)]}", "/permissions/allow/0: must be a whole tool"),
        (
            "permissions: {mode: defer, decision: {tool_use_id: a, behavior: allow}}",
            "/permissions/decision: is said by",
        ),
        ("model: a\nfallback_model: a", "/fallback_model: must be another model than model"),
        (
            "model: a\nchecks: [{check: range, at: /score, max: 1}]\nescalation: {model: a}",
            "/escalation/model: must be",
        ),
        ("escalation: {model: a}", "/escalation/when/0: can never be: there are no checks"),
        ("escalation: {model: a, when: [low_confidence]}", "/escalation/when/0: can never be: it needs {check: confid"),
        (
            "checks: [{check: confidence, at: /confidence}]\nescalation: {model: a, when: [low_confidence]}",
            "/escalation/when/0: can never be: it needs review_below",
        ),
        (
            "checks: [{check: unique, at: /costs/*}]\nescalation: {model: a, when: [checks_failed, checks_failed]}",
            "/escalation/when/1: is listed more than once",
        ),
        ("review_below: 0.5", "/review_below: needs {check: confidence, at: /pointer} in checks"),
        (
            "checks: [{check: confidence, at: /confidence}]\nreview_below: 0",
            "/review_below: must be above 0: no confidence is below that",
        ),
        ("limits: {timeout_s: 0.5}", "/limits/timeout_s: leaves a model no time to answer: it is in seconds"),
        ("limits: {timeout_s: 60, idle_timeout_s: 61}", "/limits/idle_timeout_s: can never be reached: the run ends"),
        ("limits: {idle_timeout_s: 400}", "after timeout_s, 300 where it is not set"),
        ("limits: {idle_timeout_s: 1}", "/limits/idle_timeout_s: leaves a model no time to think"),
        ("tools: [Read]\nmax_turns: 1", "/max_turns: must be at least 2 for a skill with tools"),
    ],
)
def test_settings_that_ask_for_what_cannot_be_are_told(folder: Folder, text: str, expected: str) -> None:
    folder.settings = text
    fault = only(folder)
    assert fault.startswith(f"{YAML}: ")
    assert expected in fault


@pytest.mark.parametrize(
    "text",
    [
        "tools: [Read, mcp__crm__find]\npermissions: {allow: [Read(docs/**), mcp__crm, mcp__crm__find], deny: [Bash]}",
        "tools: [Read]\nmax_turns: 2",
        "max_turns: 1\ncorrections: 0\nlimits: {timeout_s: 30, idle_timeout_s: 30, max_budget_usd: 0.01}",
        "model: a\nfallback_model: b\nchecks: [{check: range, at: /score, min: 0}]\nescalation: {model: b}",
        "checks: [{check: confidence, at: /confidence}]\nreview_below: 1",
    ],
)
def test_settings_that_make_sense_have_no_fault(folder: Folder, text: str) -> None:
    folder.settings = text
    assert told(folder) == []


def test_a_faulty_part_of_the_settings_keeps_no_other_from_being_checked(folder: Folder) -> None:
    folder.settings = """\
modle: a
limits: {timeout: 5, timeout_s: 1}
tools: [read, Zzz]
checks:
  - {check: range, at: score, min: 0}
  - {check: rnage, at: /score}
  - {check: range, at: /scroe, min: 0}
  - {check: confidence}
review_below: 0.5
escalation: {model: a, when: [low_confidence, doubt]}
permissions: {mode: never, allow: [Glob]}
"""
    assert sorted(fault.split(": ")[1] for fault in told(folder)) == [
        *("/checks/0/at", "/checks/1", "/checks/2/at", "/checks/3/at", "/escalation/when/1", "/limits/timeout"),
        *("/limits/timeout_s", "/modle", "/permissions/allow/0", "/permissions/mode", "/tools/0", "/tools/1"),
    ]


@pytest.mark.parametrize(
    "value", ["5", "[1]", "{a: 1}", "x", "null", "[[]]", "[{}]", "[null]", "{check: range}", "true"]
)
@pytest.mark.parametrize("name", ["checks", "tools", "limits", "permissions", "escalation", "model", "corrections"])
def test_no_value_of_a_setting_breaks_the_check(folder: Folder, name: str, value: str) -> None:
    folder.settings = f"{name}: {value}\nreview_below: 7\n"
    found = told(folder)
    assert f"{YAML}: /review_below: must be at most 1" in found
    assert all(fault.startswith(YAML) for fault in found)


def test_more_checks_than_there_may_be_are_told_as_such(folder: Folder) -> None:
    folder.settings = "checks:\n" + "".join(f"  - {{check: range, at: /score, min: {-n}}}\n" for n in range(1001))
    assert only(folder) == f"{YAML}: /checks: must have at most 1000 items, not 1001"


@pytest.mark.parametrize("file", ["agents/agent-workers.yml", "agents/agent_workers.yaml", "agent-workers.yaml"])
def test_settings_in_a_file_of_another_name_are_told(folder: Folder, file: str) -> None:
    folder.settings = None
    folder.write()
    folder.put(file, SETTINGS)
    assert only(folder) == f"{YAML}: is missing, and '{file}' is never read; rename that to {YAML}"


def test_files_of_other_programs_are_no_fault(folder: Folder) -> None:
    for file in ("agents/openai.yaml", "scripts/run.py", "references/a.md", "LICENSE", "examples/README.md"):
        folder.put(file, "x")
    assert told(folder) == []


# Checks against the schemas


@pytest.mark.parametrize(
    ("check", "place", "expected"),
    [
        (
            "range, at: /scroe, min: 0",
            "/at",
            "/scroe leads nowhere: the output has no 'scroe' in output.schema.json; did",
        ),
        ("range, at: /other, min: 0", "/at", "it has confidence, costs, partners, reasons, score"),
        (
            "range, at: /score/value, min: 0",
            "/at",
            "/score is no object in output.schema.json and has nothing below it",
        ),
        ("range, at: /score/*, min: 0", "/at", "/score is no object"),
        ("evidence, at: /reasons/evidence/*", "/at", "/reasons is a list in output.schema.json; put * for each"),
        (
            "evidence, at: /reasons/*/evdence/*",
            "/at",
            "/reasons/* has no 'evdence' in output.schema.json; did you mean",
        ),
        ("evidence, at: /*", "/at", "the output is an object with fields of its own in output.schema.json; * is for"),
        (
            "evidence, at: /reasons/*/evidence",
            "/at",
            "must lead to text, and output.schema.json has a list there; write",
        ),
        ("evidence, at: /reasons/*/evidence", "/at", "write /reasons/*/evidence/* for each of its items"),
        ("evidence, at: /score", "/at", "must lead to text, and output.schema.json has a number there"),
        ("evidence, at: /reasons/*", "/at", "must lead to text, and output.schema.json has an object there"),
        ("evidence, at: ''", "/at", "must lead to text, and output.schema.json has an object there"),
        ("range, at: /reasons/*/topic, min: 0", "/at", "must lead to a number, and output.schema.json has text there"),
        ("range, at: /score", "", "says nothing: add min or max"),
        ("range, at: /score, min: 2, max: 1", "/min", "must be at most max, 1"),
        (
            "range, at: /score, min: {input: /deal/name}",
            "/min/input",
            "must lead to a number, and input.schema.json has",
        ),
        ("range, at: /score, max: {output: /reasons}", "/max/output", "must lead to a number, and output.schema.json"),
        ("range, at: /score, max: {input: /budget}", "/max/input", "the input has no 'budget' in input.schema.json"),
        ("sum, at: /costs", "/at", "must lead to a number, and output.schema.json has a list there; write /costs/*"),
        ("sum, at: /costs/*", "", "says nothing: add equals, min or max"),
        ("sum, at: /costs/*, equals: 1, max: 2", "", "says equals and min or max; keep the one that is meant"),
        ("sum, at: /costs/*, equals: {input: /deal/partners/*/id}", "/equals/input", "must lead to a number"),
        ("ids, at: /partners, of: {input: /deal/partners/*/id}", "/at", "write /partners/* for each of its items"),
        (
            "ids, at: /partners/*, of: {input: /deal/partners/*}",
            "/of/input",
            "must lead to text or a number, and input",
        ),
        ("ids, at: /partners/*, of: {input: /deal/partner/*/id}", "/of/input", "/deal has no 'partner' in input"),
        ("ids, at: /costs/*, of: {input: /deal/partners/*/id}", "/at", "has numbers and the input's ids are text"),
        ("ids, at: /partners/*, of: {input: /deal/budget_eur}", "/at", "has text and the input's ids are numbers"),
        ("unique, at: /partners", "/at", "leads to one value, which is never there twice; write /partners/*"),
        ("unique, at: /score", "/at", "leads to one value, which is never there twice; put * where there are several"),
        ("unique, at: /partner/*", "/at", "the output has no 'partner' in output.schema.json; did you mean partners?"),
        ("confidence, at: /costs/*", "/at", "must lead to one number: there is one confidence for all of the output"),
        ("confidence, at: /reasons/*/topic", "/at", "must lead to a number"),
    ],
)
def test_a_check_that_the_schemas_do_not_know_is_told(folder: Folder, check: str, place: str, expected: str) -> None:
    folder.settings = f"checks: [{{check: {check}}}]\n"
    found = told(folder)
    assert any(fault.startswith(f"{YAML}: /checks/0{place}: ") and expected in fault for fault in found), found


@pytest.mark.parametrize(
    "check",
    [
        "range, at: /costs/0, min: 0",
        "range, at: /score, max: {output: /confidence}",
        "sum, at: /costs/*, min: 1, max: {input: /deal/budget_eur}",
        "sum, at: /costs/*, equals: {output: /costs/*}",
        "ids, at: /reasons/0/topic, of: {input: /deal/tags/*}",
        "ids, at: /partners/*, of: {input: /deal/tags/any-name}",
        "unique, at: /reasons/*",
        "unique, at: /reasons/*/topic",
    ],
)
def test_a_check_that_the_schemas_know_is_no_fault(folder: Folder, check: str) -> None:
    folder.settings = f"checks: [{{check: {check}}}]\n"
    folder.examples["murtal"] = replaced(EXAMPLE, "input", "deal", "tags", by={"any-name": "p2", "x": "budget"})
    assert told(folder) == []


def test_a_check_that_comes_twice_is_told(folder: Folder) -> None:
    one = "{check: range, at: /score, max: 1}"
    folder.settings = f"checks: [{one}, {{check: range, at: /score, max: 2}}, {{at: /score, max: 1.0, check: range}}]"
    assert only(folder) == f"{YAML}: /checks/2: is the same as an earlier check; remove one of them"
    folder.settings = "checks: [{check: confidence, at: /confidence}, {check: confidence, at: /score}]"
    assert only(folder) == f"{YAML}: /checks/1: is a second check of confidence; keep the one that tells it"


# What the schemas say of a place, however they say it. Each has a number at /x, and nothing at /y.
@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"x": {"type": "number"}}},
        {"properties": {"x": {"type": "integer"}, "z": {}}},
        {"allOf": [{"properties": {"x": {"type": "number"}}}, {"properties": {"z": {}}}]},
        {"anyOf": [{"properties": {"x": {"type": "number"}}}, {"properties": {"x": {"type": "string"}}}]},
        {"oneOf": [{"$ref": "#/definitions/a"}]},
        {"properties": {"x": {"type": ["number", "null"]}}},
        {"properties": {"x": {"enum": [1, 2]}}},
        {"properties": {"x": {"const": 1.5}}},
        {"properties": {"x": {"anyOf": [{"type": "null"}, {"type": "number"}]}}},
        {"properties": {"x": {"$ref": "#/definitions/b"}}},
        {"properties": {"x": {}}},
        {"properties": {"x": True}},
        {"properties": {"x": {"minimum": 0}}},
        {"if": {"required": ["z"]}, "then": {"properties": {"x": {"type": "number"}}}, "else": {}},
        {"patternProperties": {"^x$": {"type": "number"}}, "additionalProperties": False},
    ],
)
def test_a_place_is_known_however_the_schema_says_it(folder: Folder, schema: dict[str, Any]) -> None:
    definitions = {"a": {"properties": {"x": {"$ref": "#/definitions/b"}}}, "b": {"type": "number"}}
    folder.output = {"type": "object", **schema, "definitions": definitions}
    folder.examples = {"one": {"input": EXAMPLE["input"], "output": {"x": 1}}}
    folder.settings = "checks: [{check: range, at: /x, max: 1000}]"
    if "const" in str(schema):
        folder.examples["one"]["output"] = {"x": 1.5}
    assert told(folder) == []
    folder.settings = "checks: [{check: range, at: /y, max: 1000}]"
    assert only(folder).startswith(f"{YAML}: /checks/0/at: /y leads nowhere: the output has no 'y'")


@pytest.mark.parametrize(
    ("schema", "at"),
    [
        ({}, "/anything/at/all"),
        ({"additionalProperties": True}, "/anything"),
        ({"additionalProperties": {"type": "number"}}, "/*"),
        ({"properties": {"a": {}}, "additionalProperties": {"type": "number"}}, "/b"),
        ({"patternProperties": {"^n_": {"type": "number"}}}, "/*"),
        ({"properties": {"a": {"type": "array"}}}, "/a/*/b"),
        ({"properties": {"a": {"type": "object"}}}, "/a/*"),
        ({"properties": {"a": {"items": {"type": "number"}}}}, "/a/*"),
        ({"properties": {"tree": {"$ref": "#"}, "n": {"type": "number"}}}, "/tree/tree/tree/n"),
        ({"properties": {"a~b": {"properties": {"c/d": {"type": "number"}}}}}, "/a~0b/c~1d"),
    ],
)
def test_a_place_that_the_schema_leaves_open_is_known(folder: Folder, schema: dict[str, Any], at: str) -> None:
    folder.output = {"type": "object", **schema}
    folder.examples = {"one": {"input": EXAMPLE["input"], "output": {}}}
    folder.settings = f"checks: [{{check: range, at: {at}, max: 1000}}]"
    assert told(folder) == []


@pytest.mark.parametrize(
    ("schema", "at"),
    [
        ({"properties": {"a": {"properties": {"b": {}}, "type": "object"}}}, "/a/*"),
        ({"additionalProperties": False}, "/a"),
        ({"properties": {"a": False}}, "/a"),
        ({"properties": {"a": {"type": "array", "items": {"properties": {"b": {}}}}}}, "/a/0/c"),
        ({"properties": {"a": {"type": "array"}}}, "/a/b"),
        ({"properties": {"a": {"type": "array"}}}, "/a/01"),
        ({"properties": {"a": {"type": "array"}}}, "/a/-"),
        ({"properties": {"a": {"anyOf": [{"type": "null"}, {"properties": {"b": {}}}]}}}, "/a/c"),
        ({"properties": {"a": {"items": False}}}, "/a/0"),
        ({"properties": {"tree": {"$ref": "#"}}}, "/tree/tree/tre"),
    ],
)
def test_a_place_that_the_schema_closes_is_not_known(folder: Folder, schema: dict[str, Any], at: str) -> None:
    folder.output = {"type": "object", **schema}
    folder.examples = {"one": {"input": EXAMPLE["input"], "output": {}}}
    folder.settings = f"checks: [{{check: range, at: {at}, max: 1000}}]"
    assert only(folder).startswith(f"{YAML}: /checks/0/at: {at} leads nowhere: ")


# Schemas


@pytest.mark.parametrize(
    ("part", "place", "expected"),
    [
        ({"mininum": 0}, "/mininum", "is no keyword of JSON Schema draft 07; did you mean minimum?"),
        ({"prefixItems": [{}]}, "/prefixItems", "is no keyword of JSON Schema draft 07; write items: […]"),
        ({"nullable": True}, "/nullable", 'write "type": ["…", "null"]'),
        ({"dependentRequired": {"a": ["b"]}}, "/dependentRequired", "write dependencies"),
        ({"$anchor": "a"}, "/$anchor", 'refer to it by its place: "#/definitions/…"'),
        ({"qqqqqqqqq": 1}, "/qqqqqqqqq", "is no keyword of JSON Schema draft 07; remove it"),
        ({"if": {}}, "/if", "has no effect without then or else"),
        ({"then": {}}, "/then", "has no effect without if"),
        ({"enum": [1, 2, 1]}, "/enum", "lists a value more than once; keep one of them"),
    ],
)
@pytest.mark.parametrize("file", ["input", "output"])
def test_a_keyword_that_draft_07_does_not_have_is_told(
    folder: Folder, file: str, part: dict[str, Any], place: str, expected: str
) -> None:
    schema = {"type": "object", "properties": {"deal": {}, "score": {}, "x": {"allOf": [part]}}}
    setattr(folder, file, schema)
    folder.text, folder.settings, folder.examples = TEXT.replace("{{ input.deal.name }}", ""), "", {"a": EXAMPLE}
    found = [fault for fault in told(folder) if not fault.startswith("examples")]
    [fault] = found
    assert fault.startswith(f"{file}.schema.json: /properties/x/allOf/0{place}: ")
    assert expected in fault


def test_data_in_a_schema_is_not_taken_for_keywords(folder: Folder) -> None:
    data = {"mininum": 1, "properties": {"enum": [1, 1]}}
    folder.output = replaced(OUTPUT, "properties", "score", by={"type": "number", "default": data, "examples": [data]})
    folder.input = replaced(INPUT, "properties", "deal", "properties", "prefixItems", by={"const": data})
    assert told(folder) == []


@pytest.mark.parametrize("dialect", ["http://json-schema.org/draft-7/schema#", "draft-07", ""])
def test_a_dialect_that_nobody_knows_is_told(folder: Folder, dialect: str) -> None:
    folder.output = {**OUTPUT, "$schema": dialect}
    assert only(folder).startswith(
        "output.schema.json: /$schema: names no dialect that is known here; write http://json"
    )


def test_a_pattern_that_the_agents_cli_cannot_read_is_told_for_the_output_alone(folder: Folder) -> None:
    text = {"type": "string", "pattern": r"^[a-z]+\-\d$"}
    folder.input = replaced(INPUT, "properties", "deal", "properties", "name", by=text)
    folder.examples = {"one": replaced(EXAMPLE, "input", "deal", "name", by="murtal-1")}
    assert told(folder) == []
    folder.output = replaced(OUTPUT, "patternProperties", by={r"\Ax": text})
    assert [fault.split(": ")[:2] for fault in told(folder)] == [
        ["output.schema.json", "/patternProperties/\\Ax"],
        ["output.schema.json", "/patternProperties/\\Ax/pattern"],
    ]


def test_an_output_schema_that_is_too_long_for_a_model_is_told(folder: Folder) -> None:
    folder.output = {**OUTPUT, "description": "x" * 128 * 1024}
    assert only(folder).startswith("output.schema.json: must be at most 131071 bytes as compact JSON, and has 13")


# Examples


def example(*path: str | int, by: Any) -> dict[str, Any]:
    changed: dict[str, Any] = replaced(EXAMPLE, *path, by=by)
    return changed


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (example("input", by=...), "/input: is required"),
        (example("output", by=...), "/output: is required"),
        (example("input", "deal", "name", by=...), "/input/deal/name: is required"),
        (example("input", "deal", "name", by=7), "/input/deal/name: must be of the type string"),
        (example("input", "dael", by={}), "/input/dael: is no field of the input schema; did you mean deal?"),
        (example("output", "confidence", by=...), "/output/confidence: is required"),
        (example("output", "scroe", by=1), "/output/scroe: is no field of the output schema; did you mean score?"),
        (example("output", "score", by=1.5), "/output/score: must be at most 1, not 1.5; a check of the skill"),
        (
            example("output", "costs", by=[60, 60]),
            "/output/costs: the numbers at /costs/* come to 120, not at most 100",
        ),
        (example("output", "partners", by=["p1", "p1"]), "/output/partners/1: is the same as /partners/0"),
        (
            example("output", "reasons", 0, "evidence", by=["/deal/gone"]),
            "/output/reasons/0/evidence/0: must be a JSON",
        ),
        (example("output", "confidence", by=2), "/output/confidence: must be a number from 0 to 1"),
        (example("decisive", by=["/scroe"]), "/decisive/0: leads nowhere: the output has no 'scroe' in output.schema"),
        (example("decisive", by=["/reasons/0/topic", "/reasons/1"]), "/decisive/1: leads to nothing in this example's"),
        (example("decisive", by=["/partners/*", "x"]), "/decisive/1: must be a JSON pointer"),
        ("{'input': {}}", "line 1: not valid JSON at line 1, column 2"),
        ("", "is empty; write one JSON object"),
    ],
)
def test_an_example_that_is_not_right_is_told(folder: Folder, document: Any, expected: str) -> None:
    folder.examples["other"] = document
    fault = only(folder)
    assert fault.startswith(f"examples/other.json: {expected}")


def test_every_fault_of_an_example_is_told(folder: Folder) -> None:
    output = {"score": "high", "partners": ["p7"], "x": 1}
    folder.examples["murtal"] = {"input": {"deal": {}}, "output": output, "decisive": ["/costs"], "note": ""}
    assert sorted(fault.split(": ")[1] for fault in told(folder)) == [
        *("/decisive/0", "/input/deal/name", "/note", "/output/confidence", "/output/partners/0", "/output/score"),
        "/output/x",
    ]


def test_a_skill_without_an_example_is_told(folder: Folder) -> None:
    folder.examples = {}
    assert only(folder).startswith("examples: has no example; write examples/NAME.json")
    folder.put("examples/notes.txt", "x")
    assert only(folder).startswith("examples: has no example")


def test_examples_that_are_no_folder_are_told(folder: Folder) -> None:
    folder.examples = {}
    folder.put("examples", "x")
    assert only(folder).startswith("examples: cannot be read: Not a directory")


def test_an_example_is_not_held_against_a_schema_that_is_faulty_itself(folder: Folder) -> None:
    folder.output = replaced(OUTPUT, "properties", "score", "type", by="strnig")
    assert only(folder).startswith("output.schema.json: /properties/score/type: is not valid JSON Schema")


def test_a_thousand_faults_of_one_kind_are_told_in_part(folder: Folder) -> None:
    folder.examples["murtal"] = example("output", "costs", by=["x"] * 1000)
    found = told(folder)
    assert len(found) < 100
    assert f"{ONE}: /output: does not fit its schema in 950 more places" in found


# Files


@pytest.mark.parametrize("file", [ONE, "SKILL.md", YAML, "input.schema.json"])
def test_a_file_that_leads_out_of_the_folder_is_told(folder: Folder, file: str, tmp_path: Path) -> None:
    path = folder.write() / file
    path.rename(tmp_path / "outside")
    path.symlink_to(tmp_path / "outside")
    assert f"{file}: is a link that leads out of the folder; put the file itself here" in map(
        str, faults_of(folder.path)
    )


@pytest.mark.parametrize("file", [ONE, "SKILL.md", YAML, "output.schema.json"])
def test_a_file_that_is_too_large_is_told(folder: Folder, file: str) -> None:
    path = folder.write() / file
    os.truncate(path, (1 << 20) + 1)
    assert f"{file}: is larger than 1048576 bytes; a skill's file has at most so many" in map(
        str, faults_of(folder.path)
    )


def test_examples_that_lead_out_of_the_folder_are_told(folder: Folder, tmp_path: Path) -> None:
    folder.write()
    (folder.path / "examples").rename(tmp_path / "outside")
    (folder.path / "examples").symlink_to(tmp_path / "outside")
    assert [str(fault) for fault in faults_of(folder.path)] == [
        f"{ONE}: is a link that leads out of the folder; put the file itself here"
    ]


def test_a_pattern_that_takes_for_ever_ends_the_check_of_its_example_alone(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(example_check, "_MOST_S", 0.2)
    folder.input = replaced(INPUT, "properties", "deal", "properties", "name", "pattern", by="^([A-Za-z]+)+$")
    folder.examples["murtal"] = example("input", "deal", "name", by="a" * 40 + "!")
    folder.examples["other"] = example("output", "score", by=...)
    assert [fault.split(": ")[:2] for fault in told(folder)] == [
        [ONE, "/input"],
        ["examples/other.json", "/output/score"],
        ["examples/other.json", "/decisive/0"],
    ]
    assert "cannot be checked within 0.2 s; make the patterns and references of the input schema" in told(folder)[0]


def test_a_long_chain_of_references_is_followed(folder: Folder) -> None:
    chain = {f"a{number}": {"$ref": f"#/definitions/a{number + 1}"} for number in range(400)}
    folder.output = {**OUTPUT, "definitions": {**chain, "a400": {"type": "number"}}}
    folder.output = replaced(folder.output, "properties", "score", by={"$ref": "#/definitions/a0"})
    assert only(folder).startswith("output.schema.json: /")
    assert "must not refer to itself" in only(folder)


_KEYWORDS = (
    *("type", "properties", "items", "$ref", "allOf", "anyOf", "enum", "const", "additionalProperties", "x", "$id"),
    *("patternProperties", "required", "definitions", "not", "if", "then", "dependencies", "pattern"),
)


@given(
    document=st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from(["object", "#", "#/properties", "x", "^a"])
        ),
        lambda below: st.one_of(
            st.lists(below, max_size=3),
            st.dictionaries(
                st.sampled_from(_KEYWORDS),
                below,
                max_size=4,
            ),
        ),
        max_leaves=12,
    )
)
@settings(max_examples=40, deadline=None)
def test_no_schema_breaks_the_check(tmp_path_factory: pytest.TempPathFactory, document: Any) -> None:
    folder = Folder(tmp_path_factory.mktemp("skills"))
    folder.input = folder.output = document
    folder.write()
    folder.put("output.schema.json", json.dumps(document))
    faults_of(folder.path)
