"""A profile: what a worker has to be asked, and what it can do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_workers.conformance.case import load_cases, load_runs
from agent_workers.conformance.data import folder, read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FILE = "conform.json"
"""A profile that lies beside the worker."""
_USUAL = "agent-chat"


class ProfileError(ValueError):
    """Raised when a profile cannot be used. The message says what is wrong and where."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What the kit knows of a worker.

    Attributes:
        name: The file, or the program whose profile it is.
        asks_model: Whether the worker calls the Messages API at ``ANTHROPIC_BASE_URL``, so that the kit can say how
            the model answers.
        request: A valid request that the worker answers.
        runs: What it can do besides, see ``runs.json``: for each the change of the request by which it does it.
        scenarios: The model's script for a run, where the kit's does not fit.
        skip: Cases that do not apply, each with the reason.
        env_allow: Variables of the caller that the worker needs.
    """

    name: str
    asks_model: bool = True
    request: Mapping[str, Any] = field(default_factory=dict)
    runs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    scenarios: Mapping[str, Any] = field(default_factory=dict)
    skip: Mapping[str, str] = field(default_factory=dict)
    env_allow: Sequence[str] = ()

    def reason_to_skip(self, case_id: str, run: str | None) -> str | None:
        """Returns why a case does not apply to the worker; None where it does."""
        if case_id in self.skip:
            return f"profile {self.name} says: {self.skip[case_id]}"
        if run in (None, "plain") or run in self.runs:
            return None
        return f"profile {self.name} has no run {run}, in which the worker {load_runs()[str(run)]['does']}"


def load_profile(wanted: str | None, command: Sequence[str]) -> Profile:
    """Returns the profile of a worker.

    Args:
        wanted: A file, or the name of a program that has one here; None for the file beside the command, else that of
            its program, else the usual one.
        command: How the worker is started.

    Raises:
        ProfileError: There is none, or it is not valid.
    """
    if wanted is not None and (file := Path(wanted)).is_file():
        return _read(file, wanted)
    if wanted is None and (beside := _beside(command)):
        return _read(beside, str(beside))
    name = wanted if wanted is not None else Path(command[0]).name
    known = {path.stem: path for path in (folder() / "profiles").glob("*.json")}
    if wanted is not None and wanted not in known:
        raise ProfileError(f"there is no file {wanted}, and no profile of that name: {', '.join(sorted(known))}")
    name = name if name in known else _USUAL
    return _read(known[name], name)


def _beside(command: Sequence[str]) -> Path | None:
    files = (Path(word) for word in command if Path(word).is_file())
    beside = (file.with_name(FILE) for file in files)
    return next((path for path in beside if path.is_file()), None)


def _read(path: Path, name: str) -> Profile:
    try:
        document = read(path)
    except (OSError, ValueError, RecursionError) as error:
        raise ProfileError(f"{name} cannot be read: {error}") from None
    _check(document, name)
    return Profile(name=name, **document)


def _check(document: Any, name: str) -> None:
    from jsonschema import Draft202012Validator  # help and completion do without it

    schema = read(folder() / "profile.schema.json")
    faults = sorted(Draft202012Validator(schema).iter_errors(document), key=lambda fault: list(map(str, fault.path)))
    if faults:
        place = "".join(f"/{step}" for step in faults[0].absolute_path)
        raise ProfileError(f"{name}: {place or 'the profile'}: {faults[0].message}")
    for kind, known in (
        ("runs", load_runs()),
        ("scenarios", load_runs()),
        ("skip", {case.id for case in load_cases()}),
    ):
        for each in document.get(kind, ()):
            if each not in known:
                raise ProfileError(f"{name}: /{kind}/{each}: there is none of that name: {', '.join(sorted(known))}")
