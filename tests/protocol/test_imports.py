"""What importing a part of the contract brings along: a worker starts for every request and pays for all of it."""

import subprocess
import sys

import pytest

from tests.waiting import PATIENCE_S

V1 = "agent_workers.protocol.v1"


def loaded_by(module):
    """The names of all modules that are loaded once `module` is."""
    program = f"import sys, {module}; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )
    return set(run.stdout.split())


@pytest.mark.parametrize(
    "module", [f"{V1}.request", f"{V1}.events", f"{V1}.control", "agent_workers.protocol.document"]
)
def test_no_part_imports_anything_slow_or_outside_its_layer(module):
    loaded = loaded_by(module)
    slow = {"jsonschema", "claude_agent_sdk", "mcp", "anyio", "click", "rich", "email_validator", "difflib"}
    assert not loaded & slow
    own = {name for name in loaded if name.startswith("agent_workers.")}
    assert {name for name in own if not name.startswith("agent_workers.protocol")} == set()


def test_requests_and_events_do_not_import_each_other():
    assert f"{V1}.events" not in loaded_by(f"{V1}.request")
    assert not {f"{V1}.request", f"{V1}.control", f"{V1}.content"} & loaded_by(f"{V1}.events")


def test_the_packages_themselves_import_nothing():
    assert {name for name in loaded_by(V1) if "pydantic" in name or name.startswith(f"{V1}.")} == set()


def test_models_are_built_when_they_are_first_used():
    program = f"""
from {V1} import events, request
built = [kind for kind in (request.Request, *events.BODIES.values()) if kind.__pydantic_complete__]
print(built)
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )
    assert run.stdout == "[]\n"


def test_a_request_says_whether_it_is_a_tasks_without_the_tasks_model():
    program = f"""
import sys
from {V1} import kind, request
chat = request.parse_request({{"prompt": "Hello"}})
print(kind.is_task(chat), {{"{V1}.task_request", "{V1}.tools"}} & sys.modules.keys())
from {V1} import task_request
task = request.parse_request({{"prompt": "Hello", "cwd": "/"}}, task_request.TaskRequest)
print(kind.is_task(task))
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )
    assert run.stdout == "False set()\nTrue\n"
