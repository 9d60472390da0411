"""A loopback Messages API whose every delta says when it was sent, so that a reader can tell how long it took."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}"


class ClockedApi:
    """Answers each request with ``deltas`` pieces, ``pause_s`` apart; set both before a run."""

    def __init__(self) -> None:
        self.deltas = 1
        self.pause_s = 0.0
        self.base_url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next((int(v) for k, v in _headers(head) if k == "content-length"), 0)
                body = await reader.readexactly(length)
                if not head.startswith(b"POST /v1/messages?") and not head.startswith(b"POST /v1/messages "):
                    writer.write(_NOT_FOUND)
                else:
                    writer.write(_HEAD)
                    async for event in self._events(json.loads(body)["model"]):
                        writer.write(b"%x\r\n%s\r\n" % (len(event), event))
                        await writer.drain()
                    writer.write(b"0\r\n\r\n")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _events(self, model: str) -> AsyncIterator[bytes]:
        usage = {"input_tokens": 10, "output_tokens": 1}
        message = {"id": f"msg_{time.monotonic_ns()}", "type": "message", "role": "assistant", "model": model}
        yield _event("message_start", message=message | {"content": [], "stop_reason": None, "usage": usage})
        yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        for _ in range(self.deltas):
            yield _event(
                "content_block_delta", index=0, delta={"type": "text_delta", "text": f"{time.monotonic_ns()} "}
            )
            if self.pause_s:
                await asyncio.sleep(self.pause_s)
        yield _event("content_block_stop", index=0)
        yield _event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": self.deltas})
        yield _event("message_stop")


def _headers(head: bytes) -> Iterator[tuple[str, str]]:
    for line in head.decode("latin-1").split("\r\n")[1:]:
        name, _, value = line.partition(":")
        yield name.strip().lower(), value.strip()


def _event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


@contextmanager
def clocked_api() -> Iterator[ClockedApi]:
    """Runs the API in a thread."""
    api = ClockedApi()
    ready = threading.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        server = await asyncio.start_server(api.answer, "127.0.0.1", 0)
        api.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await server.serve_forever()

    def run() -> None:
        with suppress(RuntimeError):  # stopped
            loop.run_until_complete(serve())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield api
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
