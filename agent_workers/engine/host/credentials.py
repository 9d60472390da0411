"""Finds the secrets among a process's variables: hands the CLI its own, and removes them from this process."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agent_workers.engine.process.prctl import blank_in_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

# The CLI reads these from a descriptor instead, which no process beside it can.
_DESCRIPTORS = {
    "ANTHROPIC_API_KEY": "CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR",
    "CLAUDE_CODE_OAUTH_TOKEN": "CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR",
}
_API_KEY, _OAUTH_TOKEN = _DESCRIPTORS
_OAUTH = "sk-ant-oat"
# What is left of the CLI's variables beside a key of the run's own: addresses, models, settings.
# Any other may be another credential, or lead to one.
_HARMLESS = re.compile(r"ANTHROPIC_(?:BASE_URL|BETAS|LOG|\w*MODEL\w*)")
_FOR_THE_CLI = re.compile(
    r"ANTHROPIC_\w+|CLAUDE_CODE_USE_\w+"
    r"|CLAUDE_\w*(?:AUTH|KEY|SECRET|TOKEN(?!S)|PASSWORD|PASSPHRASE|CREDENTIAL|HELPER|PROVIDER)\w*"
)
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


def with_own_credential(environ: Mapping[str, str], credential: str) -> dict[str, str]:
    """Returns the variables with this key for the API, and without any other and what leads to one.

    Args:
        environ: The host's variables.
        credential: An OAuth token, or an API key.
    """
    kept = {name: value for name, value in environ.items() if not leads_to_credential(name)}
    return {**kept, _OAUTH_TOKEN if is_oauth_token(credential) else _API_KEY: credential}


def leads_to_credential(name: str) -> bool:
    """Tells whether a variable may bring the CLI a credential, or lead it to one."""
    return bool(_FOR_THE_CLI.fullmatch(name)) and not _HARMLESS.fullmatch(name)


def is_oauth_token(credential: str) -> bool:
    """Tells whether a credential is a token of the CLI's login, which the plain API does not take."""
    return credential.startswith(_OAUTH)


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
