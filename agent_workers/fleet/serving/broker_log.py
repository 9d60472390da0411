"""What FastStream says, as operators read it: not of each job, and of Redis that is away in one line."""

from __future__ import annotations

import asyncio
import logging

from redis.exceptions import RedisError


def broker_logger() -> logging.Logger:
    """Returns the logger for the broker."""
    logger = logging.getLogger("agent_workers.fleet.broker")
    is_asked_for = logging.getLogger("agent_workers.fleet").isEnabledFor(logging.DEBUG)
    logger.setLevel(logging.DEBUG if is_asked_for else logging.WARNING)
    logger.addFilter(_without_traceback)
    return logger


def _without_traceback(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, asyncio.CancelledError):
        return False  # this process ends, and what it still has in hand goes to another
    if isinstance(error, RedisError):
        record.msg, record.args, record.exc_info = "Redis gives no jobs: %s", (error,), None
    return True
