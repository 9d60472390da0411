"""The PHP of the bridge's README: all of it is PHP, and what stands alone runs."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import PATIENCE_S

BRIDGE = Path(__file__).parent.parent / "php-bridge"
README = (BRIDGE / "README.md").read_text("utf-8")
SNIPPETS = re.findall(r"^```php\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
WORKER = Path(sys.executable).with_name("agent-chat")
PREPARED = f"""<?php
require {str(BRIDGE / "tests/bootstrap.php")!r};
use AgentWorkers\\Event\\{{Delta, ErrorEvent}};
$_POST['message'] = 'Hello';
"""
RUNNER = f"""
$runner = new AgentWorkers\\ProcessRunner({str(WORKER)!r}, ['--simulate']);
$request = AgentWorkers\\Request::prompt('Hello');
"""


def php(tmp_path: Path, code: str, *flags: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "snippet.php"
    file.write_text(code, "utf-8")
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AGENT_WORKERS_STATE_DIR": str(tmp_path / "state")}
    command = ["php", *flags, str(file)]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: snippet.strip().split("\n")[0][:50])
def test_a_snippet_is_php(tmp_path: Path, snippet: str) -> None:
    whole = re.sub(r"(?<=[\[{])\s*…\s*(?=[\]}])", "", snippet)
    checked = php(tmp_path, f"<?php\n{whole}", "-l")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_install_line_brings_from_the_clone_all_that_the_page_tells_of(tmp_path: Path) -> None:
    [named] = re.findall(r"bin/pip install (\S+)", README)
    expanded = subprocess.run(
        ["sh", "-c", f"printf %s {named}"],
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert expanded.stdout == f"{tmp_path}/agent-workers[batch,messages,simulator,skills]"


def test_the_first_example_answers(tmp_path: Path) -> None:
    example = SNIPPETS[0].replace("'/opt/agents/bin/agent-chat'", f"{str(WORKER)!r}, ['--simulate']")
    ran = php(tmp_path, PREPARED + example)
    assert "You said: Why is the sky blue?" in ran.stdout, ran.stderr


def test_the_loop_over_the_events_tells_the_answer(tmp_path: Path) -> None:
    loop = next(snippet for snippet in SNIPPETS if "instanceof Delta => $event->text" in snippet)
    assert "You said: Hello" in php(tmp_path, PREPARED + RUNNER + loop).stdout


def test_the_emitter_sends_frames(tmp_path: Path) -> None:
    example = next(snippet for snippet in SNIPPETS if "new Emitter())->respond" in snippet)
    imports = "use AgentWorkers\\Request;\n"
    frames = php(tmp_path, PREPARED + imports + RUNNER + example).stdout.strip().split("\n\n")
    assert "event: done" in frames[-1]
    assert sum("event: delta" in frame for frame in frames) > 1


def test_a_tool_shows_what_it_does(tmp_path: Path) -> None:
    (tmp_path / "partners.txt").write_text("Acme\nGlobex\n", "utf-8")
    call = {"type": "tool_use", "name": "mcp__app__import_partners", "input": {"file": str(tmp_path / "partners.txt")}}
    steps = [{"content": [call]}, {"content": [{"type": "text", "text": "Done: ${result}"}]}]
    (tmp_path / "calls.json").write_text(json.dumps({"description": "Calls the tool.", "steps": steps}), "utf-8")
    runner = RUNNER.replace("'--simulate'", f"'--simulate={tmp_path / 'calls.json'}'")
    imports = "use AgentWorkers\\{Progress, Request};\nuse AgentWorkers\\Event\\ToolOutput;\n"
    example = next(snippet for snippet in SNIPPETS if "onToolOutput(" in snippet)
    ran = php(tmp_path, PREPARED + imports + runner + example + "echo $run->wait()->text;")
    assert ran.stdout == "line 0\nline 1\nDone: All are there.", ran.stderr


def test_a_skill_gives_its_output_in_three_lines(tmp_path: Path) -> None:
    [asked, *_] = sorted((BRIDGE.parent / "agent_workers/skills/bundled/partner-health/examples").glob("*.json"))
    (tmp_path / "partner.json").write_text(json.dumps(json.loads(asked.read_text("utf-8"))["input"]))
    example = next(snippet for snippet in SNIPPETS if "Request::skill(" in snippet)
    worker = f"{str(WORKER.with_name('agent-skill'))!r}, ['--simulate']"
    example = example.replace("'/opt/agents/bin/agent-skill'", worker).replace(
        "partner.json", f"{tmp_path}/partner.json"
    )
    ran = php(tmp_path, PREPARED + "use AgentWorkers\\{ProcessRunner, Request};\n" + example)
    assert float(ran.stdout) == json.loads(asked.read_text("utf-8"))["output"]["score"], ran.stderr


def test_without_a_pool_its_example_answers_too(tmp_path: Path) -> None:
    example = next(snippet for snippet in SNIPPETS if "new PoolRunner(" in snippet)
    example = example.replace("'/opt/agents/bin/agent-chat'", f"{str(WORKER)!r}, ['--simulate']")
    example = example.replace("/run/agent-workers/pool.sock", f"{tmp_path}/pool.sock")
    ran = php(tmp_path, PREPARED + "use AgentWorkers\\{ProcessRunner, Request};\n" + example)
    assert "You said: Why is the sky blue?" in ran.stdout, ran.stderr


def test_a_batch_gives_each_result_under_its_key(tmp_path: Path) -> None:
    example = next(snippet for snippet in SNIPPETS if "new ProcessBatchRunner(" in snippet)
    batch = example.replace(
        "'/opt/agents/bin/agent-batch'", f"{str(WORKER.with_name('agent-batch'))!r}, ['--simulate']"
    )
    rows = "use AgentWorkers\\Request;\n$rows = [['id' => 7, 'name' => 'Acme'], ['id' => 'b', 'name' => 'Globex']];\n"
    ran = php(tmp_path, PREPARED + rows + batch)
    found = dict(line.split(": ", 1) for line in ran.stdout.splitlines())
    assert {key: "Name the industry of" in text for key, text in found.items()} == {"7": True, "b": True}, ran.stderr
