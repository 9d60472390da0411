"""A process of the fleet, from its start to its end."""

from __future__ import annotations

import logging
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import anyio
from faststream.middlewares import AckPolicy
from faststream.redis import RedisBroker, StreamSub
from redis.exceptions import RedisError

from agent_workers.errors import first_of
from agent_workers.fleet.connection import BLOCK_MS, connect, options
from agent_workers.fleet.keys import GROUP
from agent_workers.fleet.serving.broker_log import broker_logger
from agent_workers.fleet.serving.escalation import Escalation
from agent_workers.fleet.serving.keeper import Keeper
from agent_workers.fleet.serving.machine import Machine
from agent_workers.fleet.serving.records import open_records
from agent_workers.fleet.serving.slot import Slot
from agent_workers.fleet.serving.sweeper import Sweeper
from agent_workers.fleet.serving.tracing import Tracing
from agent_workers.service_manager import notify, watchdog_s

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from faststream.redis.message import RedisStreamMessage

    from agent_workers.fleet.serving.settings import WorkSettings

logger = logging.getLogger("agent_workers.fleet")

_SWEEP_MS = 500
_STOP_S = 8.0
"""Seconds that workers may take to end when they are stopped, before their process is."""
_LEAVE_S = 5.0
"""Seconds that a process that ends has for Redis, which may be away."""
_PAUSE_S = 0.2


async def work(settings: WorkSettings) -> None:
    """Runs jobs until SIGTERM or SIGINT, and then as ``WorkSettings.grace_s`` says. A second signal ends it sooner.

    Raises:
        RedisError: Redis cannot be reached at the start.
        ValueError: The address to listen at cannot be opened.
    """
    try:
        await _work(settings)
    except ExceptionGroup as several:
        raise first_of(several) from several


async def _work(settings: WorkSettings) -> None:
    async with AsyncExitStack() as stack:
        redis = connect(settings.redis)
        stack.push_async_callback(redis.aclose)
        await redis.ping()
        tracing = Tracing()
        if settings.traces:
            from agent_workers.fleet.serving.telemetry import Telemetry

            tracing = Telemetry(settings.host)
        stack.callback(tracing.close)
        records = open_records(wanted=settings.records)
        stack.push_async_callback(records.close)
        if settings.listen:
            from agent_workers.fleet.serving.listening import watched

            machine = await stack.enter_async_context(watched(settings, redis, settings.listen, tracing, records))
        else:
            machine = Machine(settings, redis, tracing=tracing, records=records)
        await Service(machine).serve()


class Service:
    """Serves some queues.

    Args:
        machine: What all slots of this process share.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        settings = machine.settings
        self._broker = RedisBroker(
            settings.redis,
            logger=broker_logger(),
            apply_types=False,
            graceful_timeout=None,
            middlewares=machine.tracing.middlewares,
            **options(settings.redis),
        )
        self._slots = {
            queue: [Slot(machine, queue, number + 1) for number in range(count)]
            for queue, count in settings.queues.items()
        }
        self._keepers = {queue: Keeper(machine, queue, slots, self._subscribe) for queue, slots in self._slots.items()}
        self._subscribers = [
            subscriber for queue, slots in self._slots.items() for subscriber in self._of_queue(queue, slots)
        ]

    async def serve(self) -> None:
        """Serves until the process is told to stop."""
        for keeper in self._keepers.values():
            await keeper.found()
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            await self._broker.start()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_beat)
                for queue, keeper in self._keepers.items():
                    self._machine.watch.serves(queue, len(self._slots[queue]))
                    tasks.start_soon(keeper.keep)
                    tasks.start_soon(keeper.tick)
                tasks.start_soon(Escalation(self._machine).serve)
                self._machine.is_up = True
                notify("READY=1")
                logger.info("takes jobs of %s", ", ".join(f"{q} ({len(s)})" for q, s in self._slots.items()))
                await anext(signals)
                await self._drain(signals)
                tasks.cancel_scope.cancel()
        with anyio.move_on_after(_LEAVE_S):
            await self._broker.stop()

    async def _drain(self, signals: Any) -> None:
        """Begins nothing more; what still runs after a grace, or a second signal, goes to another machine."""
        self._machine.is_draining = True
        notify("STOPPING=1")
        grace_s = self._machine.settings.grace_s
        logger.info("stops: what runs has %g s to end", grace_s)
        with anyio.move_on_after(grace_s) as patience:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._hurry, signals, patience)
                tasks.start_soon(self._leave)
                await self._idle()
                tasks.cancel_scope.cancel()
        for slot in self._all_slots():
            if slot.attempt:
                slot.attempt.give_back()
        with anyio.move_on_after(_STOP_S + 2):
            await self._idle()
        for slot in self._all_slots():
            if slot.held:
                logger.warning(
                    "the run could not be given back; another process takes it", extra={"run": slot.held.run}
                )
        with anyio.move_on_after(_LEAVE_S):
            await self._leave()

    @staticmethod
    async def _hurry(signals: Any, patience: anyio.CancelScope) -> None:
        await anext(signals)
        logger.info("stops at once: what runs goes to another process")
        patience.cancel()

    async def _idle(self) -> None:
        for slot in self._all_slots():
            await slot.idle()

    async def _leave(self) -> None:
        """Takes the slots out of their queues, as soon as Redis is there for it."""
        for queue, slots in self._slots.items():
            while True:
                try:
                    await self._machine.scripts.leave(queue, [slot.consumer for slot in slots])
                    break
                except RedisError as error:
                    logger.warning("queue %s could not be left yet: %s", queue, error)
                    await anyio.sleep(_PAUSE_S)

    def _all_slots(self) -> list[Slot]:
        return [slot for slots in self._slots.values() for slot in slots]

    async def _subscribe(self) -> None:
        """Starts the subscribers anew: FastStream ends those whose group has gone."""
        for subscriber in self._subscribers:
            await subscriber.stop()
            await subscriber.start()

    def _of_queue(self, queue: str, slots: list[Slot]) -> list[Any]:
        name = self._machine.keys.jobs(queue)
        host = self._machine.settings.host
        lease_ms = self._machine.settings.lease_ms
        found = [
            self._subscribed(
                slot.serve,
                StreamSub(name, group=GROUP, consumer=slot.consumer, max_records=1, polling_interval=BLOCK_MS),
            )
            for slot in slots
        ]
        sweep = StreamSub(
            name, group=GROUP, consumer=f"{host}/sweeper", min_idle_time=lease_ms, polling_interval=_SWEEP_MS
        )
        return [*found, self._subscribed(Sweeper(self._machine, queue, self._keepers[queue]).serve, sweep)]

    def _subscribed(self, serve: Callable[[str, str], Awaitable[None]], stream: StreamSub[Any]) -> Any:
        async def handle(message: RedisStreamMessage) -> None:
            entry = message.raw_message["message_ids"][0].decode()
            run = message.raw_message["data"].get(b"run")
            try:
                if run is None:
                    await self._machine.scripts.drop(stream.name, entry)
                else:
                    await serve(entry, run.decode())
            except Exception:
                logger.exception("the job of entry %s could not be served", entry)

        subscriber = self._broker.subscriber(
            stream=stream, ack_policy=AckPolicy.MANUAL, parser=_parse, decoder=_as_it_is
        )
        subscriber(handle)
        return subscriber


async def _beat() -> None:
    """Tells the service manager that the loop turns, as often as it wants to hear it."""
    while interval_s := watchdog_s():
        notify("WATCHDOG=1")
        await anyio.sleep(interval_s / 2)


async def _parse(message: Any, usual: Callable[[Any], Awaitable[RedisStreamMessage]]) -> RedisStreamMessage:
    """Reads an entry; the trace that it belongs to stands in a field of its own.

    One that no script has written is read as empty: FastStream would end the slot that gets it.
    """
    run, trace = (message["data"].get(name, b"") for name in (b"run", b"traceparent"))
    if not (run and run.isascii() and trace.isascii()):
        return await usual({**message, "data": {}})
    parsed = await usual({**message, "data": {b"run": run}})
    if trace:
        parsed.headers["traceparent"] = trace.decode()
    return parsed


async def _as_it_is(message: RedisStreamMessage) -> RedisStreamMessage:
    return message
