"""The application beside a gateway, in real PHP: the Laravel bridge signs tokens and takes webhooks."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.waiting import PATIENCE_S

SCRIPT = Path(__file__).parents[2] / "php-bridge" / "tests" / "fixtures" / "gateway.php"


def php(task: str, said: Any) -> str:
    """Runs ``token`` or ``webhook`` of the script, and returns what it writes."""
    command = ["php", str(SCRIPT), task]
    ran = subprocess.run(
        command, input=json.dumps(said), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
