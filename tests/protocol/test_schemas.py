"""The schema files that are committed, and the command that writes them."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from agent_workers.protocol.v1.events import BODIES
from agent_workers.workers import WORKERS, schema_name
from agent_workers.workers.schema import documents, export, main


@cache
def files() -> dict[str, str]:
    return export()


def committed(root: Path) -> dict[str, str]:
    folder = root / "schemas"
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.json")}


def fields_of(schema: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(schema, list):
        for item in schema:
            yield from fields_of(item)
    elif isinstance(schema, dict):
        for key, value in schema.items():
            if key == "properties":
                yield from value.items()
            if key != "if":
                yield from fields_of(value)


def test_the_committed_schemas_are_what_the_models_say(root):
    assert committed(root) == files() | documents(), "the models have changed: run `make schema` and commit schemas/"


def test_exporting_twice_gives_the_same_text():
    assert export() | documents() == files() | documents()


def test_there_is_one_file_for_each_event_type():
    assert {f"v1/events/{name}.schema.json" for name in BODIES} < files().keys()


class TestEachFile:
    def test_is_a_valid_schema_of_the_dialect_it_names(self):
        for name, text in files().items():
            schema = json.loads(text)
            Draft202012Validator.check_schema(schema)
            assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"], name

    def test_names_itself_its_source_and_the_command_that_made_it(self):
        for name, text in files().items():
            schema = json.loads(text)
            identity = name.removesuffix(".schema.json").removeprefix("v1/").replace("events/", "event:")
            assert schema["$id"] == f"urn:agent-workers:v1:{identity}"
            assert schema["$comment"].startswith("Generated from agent_workers."), name
            assert "`make schema`" in schema["$comment"], name
            assert schema["title"], name
            assert schema["description"], name

    def test_is_ascii_indented_by_two_and_ends_in_one_newline(self):
        for name, text in files().items():
            assert text.isascii(), name
            assert text.startswith('{\n  "$schema"'), name
            assert text.endswith("}\n"), name

    def test_describes_every_field(self):
        for name, text in files().items():
            fields = list(fields_of(json.loads(text)))
            # "type": {"const": …} alone is a condition (a case of the event schema, the type of a tool's input).
            undescribed = [field for field, schema in fields if not schema.keys() & {"description", "const"}]
            assert fields, name
            assert undescribed == [], name

    def test_has_no_null_and_no_titles_on_fields(self):
        for name, text in files().items():
            assert '"null"' not in text, name
            titled = [field for field, value in fields_of(json.loads(text)) if isinstance(value.get("title"), str)]
            assert titled == [], name


def unexplained(texts):
    """The deprecated fields whose description does not say since when, or what is used in their place."""
    fields = [(name, *field) for name, text in texts.items() for field in fields_of(json.loads(text))]
    deprecated = [(name, field, schema["description"]) for name, field, schema in fields if schema.get("deprecated")]
    said = re.compile(r"Deprecated since \d+\.\d+: .*`\w+`")
    return [(name, field) for name, field, description in deprecated if not said.search(description)]


def test_a_deprecated_field_says_since_when_and_what_takes_its_place():
    assert unexplained(files()) == []
    ping = json.loads(files()["v1/events/ping.schema.json"])
    field = ping["properties"]["idle_ms"]
    field["deprecated"] = True
    assert unexplained({"ping": json.dumps(ping)}) == [("ping", "idle_ms")]
    field["description"] += " Deprecated since 1.4: use `silent_ms`."
    assert unexplained({"ping": json.dumps(ping)}) == []


def test_events_let_unknown_fields_pass_and_requests_do_not():
    sent = [files()[f"v1/{name}.schema.json"] for name in ("control", "job", *map(schema_name, WORKERS))]
    assert all('"additionalProperties": false' in text for text in sent)
    read = [text for text in files().values() if text not in sent]
    assert all('"additionalProperties": false' not in text for text in read)


def test_the_command_writes_every_file_and_then_finds_nothing_to_do(tmp_path):
    assert main([str(tmp_path)]) == 0
    assert {name: (tmp_path / name).read_text() for name in files() | documents()} == files() | documents()
    assert main(["--check", str(tmp_path)]) == 0


def test_the_check_names_each_differing_missing_and_stale_file_and_the_cure(tmp_path, capsys):
    main([str(tmp_path)])
    (tmp_path / "v1/request.schema.json").write_text("{}")
    (tmp_path / "v1/control.schema.json").unlink()
    (tmp_path / "v1/asyncapi.json").write_text("{}")
    (tmp_path / "v1/events/gone.schema.json").write_text("{}")
    assert main(["--check", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert all(f"v1/{name}.schema.json differs" in said for name in ("request", "control", "events/gone"))
    assert "v1/asyncapi.json differs" in said
    assert said.count("run `make schema`") == 4


def test_writing_removes_the_file_of_an_event_type_that_is_gone(tmp_path):
    main([str(tmp_path)])
    stale = tmp_path / "v1/events/gone.schema.json"
    stale.write_text("{}")
    main([str(tmp_path)])
    assert not stale.exists()
