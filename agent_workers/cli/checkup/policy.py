"""What requests may ask for."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from agent_workers.cli.checkup.finding import Finding
from agent_workers.engine.claude.launch.sandbox import check_sandbox
from agent_workers.errors import PolicyDenied, SandboxUnavailable
from agent_workers.policy import load_policy
from agent_workers.protocol.v1.engines import AGENT
from agent_workers.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.engine.claude import Environment
    from agent_workers.policy import Policy

_VARIABLE = "AGENT_WORKERS_POLICY"


def check_policy(host: Environment) -> Finding:
    """Checks whether the policy can be read, whether its sandbox works, and whether an agent could change it."""
    named = host.environ.get(_VARIABLE)
    if not named:
        return Finding("policy", "ok", f"{_VARIABLE} is not set: what holds without a policy")
    path = Path(named).absolute()
    facts = {"path": str(path), "chosen_by": _VARIABLE}
    try:
        policy = load_policy(path)
    except PolicyDenied as error:
        cure = f"Correct the file: until then every request is refused. To run without a policy, unset {_VARIABLE}."
        return Finding("policy", "fail", str(error.cause), cure, facts)
    for_tasks = any(policy.allows_worker(name) for name, worker in WORKERS.items() if worker.request.has_tools)
    if for_tasks and policy.sandbox.enabled and (fault := _sandbox_fault(host)):
        cure = "Mend it: until then every task with Bash is refused."
        return Finding("policy", "fail", f"{path} asks for a sandbox: {fault}", cure, facts)
    if for_tasks and (os.access(path, os.W_OK) or os.access(path.parent, os.W_OK)):
        cure = "Have it and its directory owned by another user, who alone may write them."
        return Finding("policy", "warn", f"{path} can be written by this user, so by an agent with tools", cure, facts)
    if unknown := list(unknown_workers(policy)):
        cure = f"Correct workers in the file; there are {', '.join(WORKERS)}."
        return Finding("policy", "warn", f"{path}: {'; '.join(unknown)}", cure, facts)
    own = policy.credentials.own
    words = str(path) if own else f"{path}; it forbids keys of the callers' own (credentials.own = false)"
    return Finding("policy", "ok", words, facts=facts)


def unknown_workers(policy: Policy) -> Iterator[str]:
    """Yields what is wrong with each name in the policy's ``workers`` that no worker has."""
    for name in policy.workers or ():
        if name not in WORKERS:
            near = get_close_matches(name, WORKERS, n=1)
            yield f"workers names {name!a}, which no worker is called" + (f"; did you mean {near[0]}?" if near else "")


def check_worker_policy(host: Environment, worker: str) -> Finding | None:
    """Checks whether the policy allows this worker at all; None if it does, or cannot be read."""
    named = host.environ.get(_VARIABLE)
    try:
        policy = load_policy(Path(named).absolute()) if named else None
    except PolicyDenied:
        return None  # told by the policy's own check
    if not named or not policy:
        return None
    if not policy.allows_worker(worker):
        return _never(named, f"does not allow {worker}", f'Add "{worker}" to its workers')
    needs_agent = worker in WORKERS and WORKERS[worker].request.has_tools and WORKERS[worker].request.asks_model
    if needs_agent and policy.engines is not None and AGENT not in policy.engines:
        return _never(named, f"has no engine for {worker}, which needs an agent", f'Add "{AGENT}" to its engines')
    return None


def _never(policy: str, why: str, cure: str) -> Finding:
    words = f"{cure}, or take the worker out of the configuration."
    return Finding("worker", "fail", f"{policy} {why}", words, {"path": policy})


def _sandbox_fault(host: Environment) -> str | None:
    try:
        check_sandbox(host)
    except SandboxUnavailable as error:
        return str(error.cause)
    return None
