"""Traces of attempts, by OpenTelemetry: FastStream makes the spans, this says what is in them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from faststream.redis.opentelemetry import RedisTelemetryMiddleware
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from agent_workers.fleet.serving.tracing import AttemptSpan, Tracing

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from agent_workers.fleet.scripts import Begun, Held
    from agent_workers.protocol.v1.job import Job

_SERVICE = "agent-workers-fleet"
_CLOSE_S = 5.0
_OURS = "agent_workers"
_W3C = TraceContextTextMapPropagator()


class Telemetry(Tracing):
    """Sends spans by OTLP over HTTP, as the variables ``OTEL_*`` say.

    Args:
        host: What this process is called in the fleet.
    """

    def __init__(self, host: str) -> None:
        named = Resource.create({"service.instance.id": host})
        if str(named.attributes.get("service.name", "")).startswith("unknown_service"):
            named = named.merge(Resource({"service.name": _SERVICE}))
        self._provider = TracerProvider(resource=named, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self.middlewares = (
            RedisTelemetryMiddleware(
                tracer_provider=self._provider, meter_provider=NoOpMeterProvider(), include_messages_counters=False
            ),
        )

    def begin(self, job: Job, held: Held, begun: Begun, host: str) -> AttemptSpan:
        """Begins to trace an attempt, in the span of its job's message."""
        span = trace.get_current_span()
        span.update_name(f"run {job.worker}")
        span.set_attributes(
            {
                f"{_OURS}.run": held.run,
                f"{_OURS}.queue": job.fields.queue,
                f"{_OURS}.worker": job.worker,
                f"{_OURS}.attempt": begun.attempt,
                f"{_OURS}.host": host,
                **({f"{_OURS}.tenant": job.fields.tenant} if job.fields.tenant else {}),
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.provider.name": "anthropic",
                "gen_ai.agent.name": job.worker,
            }
        )
        return _Traced(span)

    def takes_over(self, run: str, became: str) -> None:
        """Notes that a run was taken from a process that has gone, and what became of it."""
        span = trace.get_current_span()
        span.update_name("take over")
        span.set_attributes({f"{_OURS}.run": run, f"{_OURS}.became": became})

    def close(self) -> None:
        """Sends what is left, if that can be done soon."""
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(_CLOSE_S)


class _Traced(AttemptSpan):
    def __init__(self, span: Span) -> None:
        self._span = span
        self._has_spoken = False
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, trace.set_span_in_context(span))
        self.traceparent = carrier.get("traceparent")

    def see(self, event: dict[str, Any]) -> None:
        """Takes the next event."""
        if event["type"] == "delta" and not self._has_spoken:
            self._has_spoken = True
            self._span.add_event("first_delta")
        elif event["type"] == "session":
            told = {"gen_ai.request.model": event["model"], "gen_ai.conversation.id": event["session_id"]}
            self._span.set_attributes(told)
        elif event["type"] == "retry":
            self._span.add_event("retry", {f"{_OURS}.code": event["code"]})

    def end(self, event: dict[str, Any], outcome: str) -> None:
        """Notes how the attempt has ended."""
        self._span.set_attribute(f"{_OURS}.outcome", outcome)
        for name, value in (event.get("usage") or {}).items():
            if isinstance(value, int) and name.endswith("_tokens"):
                self._span.set_attribute(f"gen_ai.usage.{name}", value)
        if event.get("cost_usd") is not None:
            self._span.set_attribute(f"{_OURS}.cost_usd", float(event["cost_usd"]))
        if event["type"] == "error":
            self._span.set_attribute("error.type", event["code"])
            self._span.set_status(Status(StatusCode.ERROR, event["code"]))

    def lost(self) -> None:
        """Notes that the run became another's."""
        self._span.set_attribute(f"{_OURS}.outcome", "lost")
        self._span.set_status(Status(StatusCode.ERROR, "lease_lost"))
