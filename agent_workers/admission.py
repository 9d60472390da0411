"""How a request comes in: document, expand, accept, policy, host checks. One order, for every front door."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from agent_workers.errors import WorkerError
from agent_workers.protocol.v1.engines import AGENT, MESSAGES, misfits
from agent_workers.protocol.v1.kind import is_task, is_tool_run
from agent_workers.protocol.v1.problem import RequestProblems
from agent_workers.protocol.v1.request import ResumeSession

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent_workers.engine.host.environment import Environment
    from agent_workers.policy.tables import SandboxTable
    from agent_workers.protocol.v1.problem import Problem
    from agent_workers.protocol.v1.request import AnyRequest
    from agent_workers.workers.base import Worker

POLICY_VARIABLE = "AGENT_WORKERS_POLICY"


class Admission(NamedTuple):
    """A request that may run on this host.

    Attributes:
        request: With the policy's limits, and with its directories resolved.
        sandbox: Where its commands run; None where the policy asks for no sandbox.
    """

    request: AnyRequest
    sandbox: SandboxTable | None = None


def accept(worker: Worker, document: Any, *, control: bool = True, interactive: bool = False) -> AnyRequest:
    """Reads a decoded JSON document as a request to the worker.

    Args:
        worker: Whose request it is.
        document: The request, or what the worker makes one of.
        control: Whether control messages follow it, which may bring answers.
        interactive: Whether a person at a terminal answers questions.

    Raises:
        RequestProblems: With all problems at once.
    """
    return worker.accept(worker.expand(document), control=control, interactive=interactive)


def admit(
    worker: Worker,
    request: AnyRequest,
    policy: Path | None,
    environ: Mapping[str, str] = os.environ,
    *,
    besides: Path | None = None,
    own_credential: bool = False,
) -> Admission:
    """Holds an accepted request against the host: first its policy, then what is there.

    Args:
        worker: Has accepted it.
        request: The request.
        policy: The policy's file; None for what holds without one.
        environ: The host's variables.
        besides: The file of a second policy that holds at once; None for none.
        own_credential: Whether the caller brings the run's key for the API.

    Raises:
        PolicyDenied: The policy does not allow it, or cannot be read.
        RequestProblems: It names what this host does not have.
    """
    admission = _within_policies(worker, request, policy, besides, own_credential=own_credential)
    granted = admission.request
    if problems := [*_misfits(granted), *_missing(granted, environ), *worker.check_host(granted)]:
        raise RequestProblems(problems, run=request.run)
    return admission


def following(request: AnyRequest, environment: Environment) -> AnyRequest:
    """Returns a request that names no engine with the one that keeps its session, where it resumes one.

    Args:
        request: An accepted request.
        environment: Where the sessions are.
    """
    if is_tool_run(request) or request.engine is not None or not isinstance(request.session, ResumeSession):
        return request
    if is_task(request):  # which has an agent in any case
        return request
    from agent_workers.engine.host.sessions import engine_of  # few requests resume a session and name no engine

    with suppress(WorkerError):  # a directory that cannot be read is the run's to tell
        engine = engine_of(request.session, environment.common_dir("sessions"))
        if engine is not None:
            return request.model_copy(update={"engine": engine})
    return request


def policy_file(named: str | None = None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Returns the file of the host's policy: the one named on the command line, else the environment's."""
    path = named or environ.get(POLICY_VARIABLE)
    return Path(path) if path else None


def max_request_bytes(*policies: Path | None) -> int | None:
    """Returns how large a request the policies let in; None where they say nothing, or cannot be read."""
    found = (_max_request_bytes(policy) for policy in policies if policy)
    return min((size for size in found if size is not None), default=None)


def _max_request_bytes(policy: Path) -> int | None:
    from agent_workers.policy import load_policy  # most hosts have none

    with suppress(WorkerError):  # that it cannot be read is told of the request that it was to rule on
        return load_policy(policy).limits.max_request_bytes
    return None


def _misfits(request: AnyRequest) -> Iterator[Problem]:
    if not is_tool_run(request):
        yield from misfits(request, request.engine or AGENT)


def _missing(request: AnyRequest, environ: Mapping[str, str]) -> Iterator[Problem]:
    if not is_tool_run(request) and request.engine == MESSAGES:
        from agent_workers.engine.messages.host import problems_of  # no agent needs it

        yield from problems_of(request, environ)


def _within_policies(
    worker: Worker, request: AnyRequest, path: Path | None, besides: Path | None, *, own_credential: bool
) -> Admission:
    if not (path or besides) and request.asks_model and not request.has_tools:
        return Admission(request)  # words alone need no policy, and do not pay for one
    from agent_workers.policy import DEFAULT, load_policy, together

    policy = load_policy(path) if path else DEFAULT
    policies = together(policy, load_policy(besides)) if besides else (policy,)
    for each in policies:
        request = each.grant(request, worker.name, default_turns=worker.max_turns, own_credential=own_credential)
    sandbox = policies[0].sandbox
    return Admission(request, sandbox if sandbox.enabled else None)
