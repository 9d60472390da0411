"""The CLI's settings that hold for everybody on a host: whether they bring a credential, which would come first."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_workers.engine.host.credentials import leads_to_credential
from agent_workers.errors import AuthError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PLACE = Path("/Library/Application Support/ClaudeCode" if sys.platform == "darwin" else "/etc/claude-code")
_OTHER_PLACE = "CLAUDE_CODE_MANAGED_SETTINGS_PATH"
_HELPERS = ("apiKeyHelper", "awsAuthRefresh", "awsCredentialExport", "gcpAuthRefresh")
_NOT_ALONE = (
    "This server sets a credential for all agents, beside which the key of one run cannot be used alone. The operator "
    "must remove it from the managed settings of the Claude CLI; the engine messages can do without."
)


def refuse_managed_credentials(environ: Mapping[str, str], place: Path = _PLACE) -> None:
    """Refuses a run that brings its own key where the host's managed settings bring another.

    Args:
        environ: The agent's variables.
        place: Where those settings are.

    Raises:
        AuthError: They do.
    """
    files = [place / "managed-settings.json", *sorted(place.glob("managed-settings.d/*.json"))]
    if other := environ.get(_OTHER_PLACE):
        files += [Path(other), Path(other, "managed-settings.json")]
    for file in files:
        for name in _credentials_in(file):
            raise AuthError(_NOT_ALONE, cause=f"{file} sets {name}")


def _credentials_in(file: Path) -> Iterator[str]:
    settings: Any = None
    with suppress(OSError, ValueError):  # then the CLI cannot read it either
        settings = json.loads(file.read_bytes())
    if not isinstance(settings, dict):
        return
    yield from (name for name in _HELPERS if settings.get(name))
    variables = settings.get("env")
    if isinstance(variables, dict):
        yield from (f"env.{name}" for name, value in variables.items() if value and leads_to_credential(name))
