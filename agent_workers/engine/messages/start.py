"""Makes a run of the engine: takes its session, reads what was said before, and knows whom to ask."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from agent_workers.engine.base import Progress
from agent_workers.engine.host.credentials import forget_secrets
from agent_workers.engine.host.session_record import Binding
from agent_workers.engine.host.sessions import take_lease
from agent_workers.engine.messages.access import access_of
from agent_workers.engine.messages.body import Frame, prompt_of
from agent_workers.engine.messages.conversation import conversation_of
from agent_workers.engine.messages.models import load_models
from agent_workers.engine.messages.plan import Plan
from agent_workers.engine.messages.retries import Retries, most_retries
from agent_workers.engine.messages.spending import LEAST_ANSWER, Spending
from agent_workers.engine.process.prctl import hide_from_others
from agent_workers.errors import ModelUnpriced
from agent_workers.protocol.v1.engines import MESSAGES

if TYPE_CHECKING:
    from agent_workers.engine.base import WorkerDefaults
    from agent_workers.engine.host.environment import Environment
    from agent_workers.engine.messages.api import Api
    from agent_workers.engine.messages.engine import MessagesEngine
    from agent_workers.engine.messages.plan import Given
    from agent_workers.protocol.v1.request import Request


def start_messages(
    request: Request,
    environment: Environment,
    worker: WorkerDefaults,
    *,
    api: Api | None = None,
    given: Given | None = None,
    lane: str | None = None,
) -> MessagesEngine:
    """Makes the engine of a run. No call is made before its events are read.

    Args:
        request: A valid request, granted by the host's policy.
        environment: The host's variables and directories.
        worker: The worker's part.
        api: Who answers, where more than this run asks it; it is open.
        given: The events of the first message, where it has been answered before.
        lane: ``done.lane``.

    Raises:
        WorkerError: There is no credential, the state directory cannot be written, the session belongs to somebody
            else or is in use, or its model has no price for the request's budget.
    """
    models = load_models(environment.environ)
    access = api.access if api else access_of(environment)
    binding = Binding(worker.name, None, request.session_owner, MESSAGES)
    lease = take_lease(request.session, environment.common_dir("sessions"), binding)
    try:
        conversation, history = conversation_of(lease, environment.common_dir("conversations"))
        if environment.environ is os.environ:
            hide_from_others()
            forget_secrets(os.environ)
        from agent_workers.engine.messages.api import Api  # what a refused session does not wait for
        from agent_workers.engine.messages.engine import MessagesEngine

        model = models.full_name(request.model or history.model or models.default)
        if request.limits.max_budget_usd is not None and models.of(model) is None:
            raise ModelUnpriced(cause=f"the price of {model}, the session's model, is not known")
        fallbacks = [models.full_name(name) for name in _names(request.fallback_model)]
        plan = Plan(
            request=request,
            frame=Frame(request, worker.system_prompt, keeps_schema=access.is_simulated),
            api=api or Api(access),
            owns_api=api is None,
            lease=lease,
            conversation=conversation,
            history=history,
            model=model,
            models=models,
            retries=Retries(most_retries(environment.environ), fallbacks),
            max_turns=request.max_turns or worker.max_turns,
            given=given,
            lane=lane,
        )
        return MessagesEngine(plan)
    except BaseException:
        lease.abandon()
        raise


def first_body(request: Request, environment: Environment, worker: WorkerDefaults) -> dict[str, Any] | None:
    """Returns the body of the first call of a run that begins a conversation; None where its budget is too small.

    Args:
        request: A valid request, granted by the host's policy.
        environment: The host's variables and directories.
        worker: The worker's part.
    """
    models = load_models(environment.environ)
    model = models.full_name(request.model or models.default)
    frame = Frame(request, worker.system_prompt, keeps_schema=environment.is_simulated())
    messages = [{"role": "user", "content": prompt_of(request)}]
    most = Spending(models, Progress(), request.limits.max_budget_usd).most_for(frame, messages, model)
    if most is not None and most < LEAST_ANSWER:
        return None
    return frame.body(messages, model, models.of(model), most_tokens=most, cached=False)


def _names(models: str | None) -> list[str]:
    return [name.strip() for name in (models or "").split(",") if name.strip()]
