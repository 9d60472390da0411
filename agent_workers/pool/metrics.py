"""The pool's figures as Prometheus text, over HTTP on the pool's own socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_workers.pool.figures import BUCKETS_S
from agent_workers.pool.status import ask_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_workers.pool.pool import Pool
    from agent_workers.pool.pools import Pools

_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX = "agent_workers_pool"


async def metrics_response(request: bytes, pools: Pools) -> bytes:
    """Returns the HTTP response to a request for ``/metrics``; 404 for any other path."""
    path = request.split(b" ", 2)[1:2]
    if path != [b"/metrics"]:
        return _response("404 Not Found", "text/plain", "There is only /metrics here.\n")
    await ask_memory(pools)
    return _response("200 OK", _TYPE, "".join(f"{line}\n" for line in _lines(list(pools.pools.values()))))


def _response(status: str, kind: str, text: str) -> bytes:
    body = text.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


def _lines(pools: list[Pool]) -> Iterator[str]:
    for name, kind, words, samples in _FAMILIES:
        yield f"# HELP {_PREFIX}_{name} {words}"
        yield f"# TYPE {_PREFIX}_{name} {kind}"
        for pool in pools:
            for suffix, labels, value in samples(pool):
                yield _sample(f"{name}{suffix}", value, pool=pool.name, **labels)


Sample = tuple[str, dict[str, str], float]


def _processes(pool: Pool) -> Iterator[Sample]:
    for state in ("starting", "idle", "busy", "live", "ending"):
        yield "", {"state": state}, len(pool.of_state(state))


def _waiting(pool: Pool) -> Iterator[Sample]:
    yield "", {}, pool.waiting


def _memory(pool: Pool) -> Iterator[Sample]:
    yield "", {}, sum(member.memory for member in pool.members)


def _max(pool: Pool) -> Iterator[Sample]:
    yield "", {}, pool.table.max


def _fault(pool: Pool) -> Iterator[Sample]:
    yield "", {}, int(bool(pool.fault))


def _served(pool: Pool) -> Iterator[Sample]:
    yield from (("", {"warm": way}, number) for way, number in sorted(pool.figures.served.items()))


def _cold(pool: Pool) -> Iterator[Sample]:
    yield from (("", {"why": why}, number) for why, number in sorted(pool.figures.cold.items()))


def _ended(pool: Pool) -> Iterator[Sample]:
    for (terminal, code), number in sorted(pool.figures.ended.items()):
        yield "", {"terminal": terminal, "code": code}, number


def _refused(pool: Pool) -> Iterator[Sample]:
    yield from (("", {"code": code}, number) for code, number in sorted(pool.figures.refused.items()))


def _lost(pool: Pool) -> Iterator[Sample]:
    yield "", {}, pool.figures.lost


def _first_delta(pool: Pool) -> Iterator[Sample]:
    for way, times in sorted(pool.figures.first_delta.items()):
        for bound in BUCKETS_S:
            yield "_bucket", {"warm": way, "le": f"{bound:g}"}, times.up_to[bound]
        yield "_bucket", {"warm": way, "le": "+Inf"}, times.count
        yield "_sum", {"warm": way}, round(times.sum_s, 6)
        yield "_count", {"warm": way}, times.count


_FAMILIES = (
    ("processes", "gauge", "Worker processes by what they do.", _processes),
    ("waiting", "gauge", "Requests that wait for a worker process.", _waiting),
    ("max_processes", "gauge", "How many worker processes there may be.", _max),
    ("fault", "gauge", "1 where no agent can be started ahead, else 0.", _fault),
    ("memory_bytes", "gauge", "Memory of worker processes and their agents (PSS).", _memory),
    ("served_total", "counter", "Runs by what served them.", _served),
    ("cold_total", "counter", "Cold runs by what kept them from an agent that was up.", _cold),
    ("ended_total", "counter", "Runs by their terminal event and its code.", _ended),
    ("refused_total", "counter", "Requests that no worker got, by code.", _refused),
    ("lost_total", "counter", "Worker processes that ended in the middle of a run.", _lost),
    ("first_delta_seconds", "histogram", "From the connection to the first delta.", _first_delta),
)


def _sample(name: str, value: float, **labels: str) -> str:
    told = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"{_PREFIX}_{name}{{{told}}} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
