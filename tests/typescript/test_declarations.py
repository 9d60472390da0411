"""The TypeScript declarations are those of the committed schemas, and the check finds whatever is wrong with them."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent_workers.protocol.v1.control import MESSAGES
from agent_workers.protocol.v1.events import BODIES
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
NAME = "agent-workers.d.ts"


@pytest.fixture
def schemas(tmp_path: Path) -> Path:
    """A copy of the committed schemas."""
    return Path(shutil.copytree(ROOT / "schemas/v1", tmp_path / "v1"))


def declarations(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools/types/declarations.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def test_generating_them_anew_gives_the_committed_file(schemas: Path) -> None:
    committed = (schemas / NAME).read_bytes()
    (schemas / NAME).unlink()
    assert declarations(schemas).returncode == 0
    assert (schemas / NAME).read_bytes() == committed, "run `make types` and commit schemas/"


def test_each_event_and_each_control_message_has_a_type_of_its_own_name(schemas: Path) -> None:
    text = (schemas / NAME).read_text("utf-8")
    names = [f"{kind.__name__}Event" for kind in BODIES.values()]
    names += [f"{kind.__name__}Message" for kind in MESSAGES.values()]
    assert [name for name in names if f"\nexport interface {name} {{" not in text] == []


def test_each_job_has_a_type_that_its_worker_tells_apart(schemas: Path) -> None:
    text = (schemas / NAME).read_text("utf-8")
    assert "export type AgentJob = ChatJob | TaskJob | ToolJob | SkillJob;" in text
    for worker in ("chat", "task", "tool"):
        job = text.partition(f"export interface {worker.capitalize()}Job {{")[2].partition("\n}")[0]
        assert f'worker: "agent-{worker}";' in job


def test_an_open_set_takes_other_values_too(schemas: Path) -> None:
    assert '"rate_limited" | "overloaded"' in " ".join((schemas / NAME).read_text("utf-8").split())
    assert "(string & {})" in (schemas / NAME).read_text("utf-8")


def edited(schemas: Path) -> None:
    path = schemas / NAME
    path.write_text(path.read_text("utf-8").replace("retryable: boolean", "retryable: string", 1), "utf-8")


def of_older_schemas(schemas: Path) -> None:
    path = schemas / "events/ping.schema.json"
    schema = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(schema | {"description": "Silence."}), "utf-8")


def missing(schemas: Path) -> None:
    (schemas / NAME).unlink()


FAULTS = {"was edited by hand": edited, "is older than the schemas": of_older_schemas, "is missing": missing}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_says_what_is_wrong_and_what_to_do(fault: str, schemas: Path) -> None:
    assert declarations("--check", schemas).returncode == 0
    FAULTS[fault](schemas)
    checked = declarations("--check", schemas)
    assert checked.returncode == 1
    assert fault in checked.stderr
    assert "run `make types`" in checked.stderr


def test_a_deprecated_field_is_struck_through_in_editors(schemas: Path) -> None:
    path = schemas / "events/ping.schema.json"
    schema = json.loads(path.read_text("utf-8"))
    schema["properties"]["idle_ms"]["deprecated"] = True
    path.write_text(json.dumps(schema), "utf-8")
    assert declarations(schemas).returncode == 0
    ping = (schemas / NAME).read_text("utf-8").partition("interface PingEvent {")[2].partition("\n}")[0]
    assert ping.count("@deprecated") == 1
    assert ping.index("@deprecated") < ping.index("idle_ms: number")


def test_the_functions_on_the_page_compile_and_a_misspelt_field_does_not(tmp_path: Path) -> None:
    [functions] = re.findall(r"```ts\n(.*?)```", (ROOT / "schemas/README.md").read_text("utf-8"), re.DOTALL)
    functions = functions.replace("./schemas", str(ROOT / "schemas"))
    assert compiled(functions, tmp_path) == ""
    assert "Property 'txt' does not exist on type 'DeltaEvent'" in compiled(
        functions.replace(".text", ".txt"), tmp_path
    )


def compiled(code: str, folder: Path) -> str:
    """What the compiler says of it."""
    (folder / "code.ts").write_text(code, "utf-8")
    command = [str(ROOT / "tools/types/node_modules/.bin/tsc"), "--noEmit", "--strict", "--module", "esnext"]
    command += ["--moduleResolution", "bundler", "--ignoreConfig", str(folder / "code.ts")]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False).stdout
