"""Finds the secrets among a process's variables: hands the CLI its own, and removes them from this process."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agent_workers.engine.process.prctl import blank_in_environment

if TYPE_CHECKING:
    from collections.abc import MutableMapping

# The CLI reads these from a descriptor instead, which no process beside it can.
_DESCRIPTORS = {
    "ANTHROPIC_API_KEY": "CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR",
    "CLAUDE_CODE_OAUTH_TOKEN": "CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR",
}
# The CLI reads these from its environment only.
_SECRETS = re.compile(
    r"ANTHROPIC_CUSTOM_HEADERS|(?:ANTHROPIC|CLAUDE|AWS|AZURE|GOOGLE|GCLOUD|CLOUDSDK)_\w*"
    r"(?:KEY|SECRET|TOKEN|PASSWORD|PASSPHRASE|CREDENTIALS?)\w*"
)


def take_credentials(environ: dict[str, str]) -> tuple[dict[str, bytes], list[str]]:
    """Takes the credentials out of the environment that the model's commands inherit.

    Args:
        environ: The CLI's environment; changed.

    Returns:
        What the CLI gets through descriptors, by the variables that hold the descriptors' numbers; and the names of
        the secrets that must stay, because the CLI reads them nowhere else.
    """
    secrets = {
        by_descriptor: environ.pop(name).encode() for name, by_descriptor in _DESCRIPTORS.items() if environ.get(name)
    }
    return secrets, sorted(name for name in environ if _SECRETS.fullmatch(name) and environ[name])


# What this process no longer needs once its CLI's environment is made: secrets of the agent and of its caller.
_SECRET_NAME = re.compile(
    r"\w*(?:KEY|SECRET|TOKEN|PASSWORD|PASSPHRASE|CREDENTIAL|COOKIE|AUTHORIZATION|CUSTOM_HEADERS)\w*", re.IGNORECASE
)
_URL_WITH_PASSWORD = re.compile(r"\w+://[^/\s]*:[^/\s]+@.*", re.DOTALL)


def forget_secrets(environ: MutableMapping[str, str]) -> None:
    """Removes the secrets from this process's environment, also where other processes may read it.

    Args:
        environ: ``os.environ``; changed.
    """
    secret = {name for name in environ if _SECRET_NAME.fullmatch(name) or _URL_WITH_PASSWORD.match(environ[name])}
    blank_in_environment(secret)
    for name in secret:
        del environ[name]
