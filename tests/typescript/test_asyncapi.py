"""The AsyncAPI document is valid by the parser that AsyncAPI's own tools use."""

import json
import subprocess
from pathlib import Path

from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "schemas/v1/asyncapi.json"


def parsed(file: Path) -> subprocess.CompletedProcess[str]:
    command = ["node", str(ROOT / "tools/types/asyncapi.mjs"), str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def test_the_committed_document_is_valid() -> None:
    checked = parsed(DOCUMENT)
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout


def test_a_document_whose_reference_leads_nowhere_is_not(tmp_path: Path) -> None:
    document = json.loads(DOCUMENT.read_text("ascii"))
    del document["components"]["schemas"]["event.Delta"]
    broken = tmp_path / "asyncapi.json"
    broken.write_text(json.dumps(document))
    checked = parsed(broken)
    assert checked.returncode == 1
    assert "event.Delta" in checked.stdout
