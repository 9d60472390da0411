"""Where the agent lives on this host: its state directory, its home, and the variables that it may see."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agent_workers.engine.host.config_directory import without_login
from agent_workers.engine.host.state_directory import (
    STATE_MODE,
    close_to_others,
    holds_other_things,
    make_private,
    of_this_user,
    state_mode,
)
from agent_workers.errors import StateUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a program needs to run, reach the API through a company's proxy and find its credential.
_ALLOWED = re.compile(
    r"PATH|LANG|LANGUAGE|LC_\w+|TZ"
    r"|(?:https?|all|no)_proxy|(?:HTTPS?|ALL|NO)_PROXY"
    r"|SSL_CERT_(?:FILE|DIR)|NODE_EXTRA_CA_CERTS|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE"
    r"|ANTHROPIC_\w+|CLAUDE_\w+|API_TIMEOUT_MS"
)
# A provider's variables pass only while its switch is on.
_PROVIDERS = {
    "CLAUDE_CODE_USE_BEDROCK": re.compile(r"AWS_\w+"),
    "CLAUDE_CODE_USE_VERTEX": re.compile(r"GOOGLE_\w+|GCLOUD_\w+|CLOUDSDK_\w+|CLOUD_ML_REGION|VERTEX_\w+"),
    "CLAUDE_CODE_USE_FOUNDRY": re.compile(r"AZURE_\w+"),
}
# These describe a Claude session that called this worker, not its agent.
_NEVER = re.compile(
    r"CLAUDECODE|CLAUDE_CODE_ENTRYPOINT|CLAUDE_CODE_SSE_PORT|CLAUDE_AGENT_SDK_VERSION"
    r"|CLAUDE_(?:CODE_)?(?:SESSION|REMOTE|TMPDIR|ENV_FILE|PLUGIN|PROJECT_DIR)\w*"
)
# The address that ``agent-workers simulate`` prints.
_SIMULATOR = re.compile(r"http://(?:127\.0\.0\.1|localhost)(?::\d+)?/simulated/?")
_CREDENTIALS = re.compile(r"ANTHROPIC_\w+|CLAUDE_CODE_OAUTH_\w+|CLAUDE_CODE_USE_\w+|CLAUDE_CONFIG_DIR")

RELATIVE = (
    "A directory of the worker is set to a relative path, and the directory that it starts in is gone. "
    "The operator must set an absolute path."
)


class Environment(NamedTuple):
    """What this process finds on its host: its variables, and the directories that they name.

    Attributes:
        environ: The process's environment.
        simulator_url: Base URL of the simulator, when the run must not reach the real API.
        has_own_credential: Whether the run brings the key for the API, and no login of this host may be found.
    """

    environ: Mapping[str, str]
    simulator_url: str | None = None
    has_own_credential: bool = False

    def is_simulated(self) -> bool:
        """Tells whether a simulator answers: one of this run, or one that the base URL names."""
        if self.simulator_url:
            return True
        base_url = self.environ.get("ANTHROPIC_BASE_URL", "")
        return bool(_SIMULATOR.fullmatch(base_url)) and not any(_is_on(self.environ.get(name)) for name in _PROVIDERS)

    def home(self) -> Path | None:
        """Returns the user's home; None where it cannot be written."""
        home = self.environ.get("HOME")
        if not home:
            try:
                home = str(Path.home())
            except RuntimeError:
                return None
        return Path(home) if home != "/" and os.access(home, os.W_OK | os.X_OK) else None

    def state_dir(self) -> Path:
        """Returns the directory for sessions and workspaces; creates it where missing and closes it to others.

        ``AGENT_WORKERS_STATE_DIR``, else ``$XDG_STATE_HOME/agent-workers``, else ``~/.local/state/agent-workers``. Its
        mode is 0700, or as ``state_mode`` says. One that holds other things too stays as open as it is.

        Raises:
            StateUnavailable: There is none, or it cannot be written.
        """
        path = self._state_path()
        if path is None:
            raise StateUnavailable(cause="HOME is missing or not writable, and AGENT_WORKERS_STATE_DIR is not set")
        mode, widen = self._mode(path)
        make_private(path, mode)
        if widen or not holds_other_things(path):
            close_to_others(path, mode, widen=widen)
        return self._common(path, mode, "simulator", widen=widen) if self.simulator_url else path

    def common_dir(self, *names: str) -> Path:
        """Returns a directory below the state directory that all its users share; creates it where missing.

        Raises:
            StateUnavailable: It cannot be created or written.
        """
        path = self.state_dir()
        mode, widen = self._mode(path)
        return self._common(path, mode, *names, widen=widen)

    def _mode(self, path: Path) -> tuple[int, bool]:
        chosen = bool(self.environ.get("AGENT_WORKERS_STATE_DIR") or self.environ.get("XDG_STATE_HOME"))
        return state_mode(self.environ, path, chosen=chosen), bool(self.environ.get(STATE_MODE))

    @staticmethod
    def _common(path: Path, mode: int, *names: str, widen: bool) -> Path:
        for name in names:
            path /= name
            make_private(path, mode)
            close_to_others(path, mode, widen=widen)
        return path

    def _state_path(self) -> Path | None:
        if explicit := self.environ.get("AGENT_WORKERS_STATE_DIR"):
            return _absolute(explicit)
        if xdg := self.environ.get("XDG_STATE_HOME"):
            return _absolute(xdg) / "agent-workers"
        home = self.home()
        return home / ".local" / "state" / "agent-workers" if home else None

    def config_dir(self) -> Path | None:
        """Returns where the CLI keeps its login and sessions; None leaves it at the user's own ``~/.claude``.

        ``CLAUDE_CONFIG_DIR`` where set; the state directory where that was chosen explicitly, where there is no home
        to write to, and for simulated runs; else the user's own, so that a login made with the CLI is found.
        """
        explicit = self.environ.get("CLAUDE_CONFIG_DIR")
        if explicit and not self.simulator_url:
            return Path(explicit)
        if self.simulator_url or self.environ.get("AGENT_WORKERS_STATE_DIR") or self.home() is None:
            return of_this_user(self.state_dir() / "claude")
        return None

    def cli_dir(self) -> Path:
        """Returns the directory in which the CLI keeps its sessions, wherever it is told to look for it.

        Raises:
            StateUnavailable: There is none, or it cannot be written.
        """
        return (self.config_dir() or (self.home() or self.state_dir()) / ".claude").absolute()

    def private_dirs(self) -> list[Path]:
        """Lists the directories of the worker and the CLI that no agent may read: they hold sessions and logins."""
        home = self.home()
        config = self.config_dir() or (home / ".claude" if home else None)
        return [path.absolute() for path in (self._state_path(), config) if path]

    def temporary_dir(self) -> Path:
        """Returns the directory for temporary files.

        Raises:
            StateUnavailable: ``TMPDIR`` is relative to a directory that is gone.
        """
        return _absolute(self.environ.get("TMPDIR") or "/tmp")  # noqa: S108 what is in it is private and random

    def agent_environ(self, scratch: Path) -> dict[str, str]:
        """Builds the whole environment of the agent's CLI from an allow-list.

        Args:
            scratch: A private directory for the run's temporary files.
        """
        environ = self._common_environ(scratch)
        config_dir = self.config_dir()
        if self.has_own_credential:
            usual = config_dir or Path(environ["HOME"], ".claude")
            config_dir = without_login(usual.absolute(), scratch)
        if config_dir:
            environ["CLAUDE_CONFIG_DIR"] = str(_made(config_dir))
        if self.simulator_url:
            environ |= {"ANTHROPIC_BASE_URL": self.simulator_url, "ANTHROPIC_API_KEY": "simulated"}
            environ |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        return environ

    def program_environ(self, scratch: Path, *, without: re.Pattern[str]) -> dict[str, str]:
        """Builds the whole environment of a program that is no agent, likewise.

        Args:
            scratch: A private directory for the run's temporary files.
            without: The names of the variables that are meant for an agent.
        """
        return {name: value for name, value in self._common_environ(scratch).items() if not without.fullmatch(name)}

    def _common_environ(self, scratch: Path) -> dict[str, str]:
        environ = {name: value for name, value in self.environ.items() if self._passes(name)}
        home = self.home() or _made(of_this_user(self.state_dir() / "home"))
        return environ | {"HOME": str(home), "TMPDIR": str(scratch)}

    def _passes(self, name: str) -> bool:
        if _NEVER.fullmatch(name) or (self.simulator_url and _CREDENTIALS.fullmatch(name)):
            return False
        if _ALLOWED.fullmatch(name) or name in self._allowed_by_operator():
            return True
        providers = {} if self.simulator_url else _PROVIDERS
        return any(names.fullmatch(name) for switch, names in providers.items() if _is_on(self.environ.get(switch)))

    def _allowed_by_operator(self) -> list[str]:
        return re.split(r"[\s,]+", self.environ.get("AGENT_WORKERS_ENV_ALLOW", ""))


def _absolute(path: str) -> Path:
    try:
        return Path(path).absolute()
    except OSError as error:
        raise StateUnavailable(RELATIVE, cause=f"{path}, in a working directory that is gone") from error


def _is_on(value: str | None) -> bool:
    return (value or "").lower() in {"1", "true", "yes", "on"}


def _made(path: Path) -> Path:
    make_private(path)
    return path
