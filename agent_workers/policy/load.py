"""Reads the policy's file. A file with any fault allows nothing."""

from pathlib import Path

from agent_workers.errors import PolicyDenied
from agent_workers.kept import Kept
from agent_workers.policy.policy import Policy
from agent_workers.protocol.toml_file import Unreadable, read_toml

_kept = Kept[Policy]()
_UNREADABLE = "The host's policy cannot be read. The operator must check it with agent-workers doctor."


def load_policy(path: Path) -> Policy:
    """Reads a policy's file, once for as long as it does not change.

    Raises:
        PolicyDenied: It is missing, unreadable or has any fault; ``cause`` names the file, line and key.
    """
    try:
        return _kept.get(path, (path,), lambda: read_toml(path, Policy))
    except Unreadable as error:
        raise PolicyDenied(_UNREADABLE, cause=str(error)) from None
