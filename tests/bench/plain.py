"""What one would write instead of the engine messages: ten lines on the API's own SDK, for one request or a file.

``plain.py`` streams the answer to the request on stdin; ``plain.py N`` answers each line of stdin, N at once.
"""

import asyncio
import json
import sys

import anthropic

MODEL = "claude-opus-5-5"


def body(request: dict) -> dict:
    """The request as the API takes it."""
    return {"model": MODEL, "max_tokens": 1024, "messages": [{"role": "user", "content": request["prompt"]}]}


def one() -> None:
    """Streams one answer as JSON lines."""
    with anthropic.Anthropic().messages.stream(**body(json.load(sys.stdin))) as stream:
        for text in stream.text_stream:
            print(json.dumps({"type": "delta", "text": text}), flush=True)


async def many(at_once: int) -> None:
    """Answers each line, so many at once."""
    client, places = anthropic.AsyncAnthropic(max_retries=5), asyncio.Semaphore(at_once)

    async def answer(line: str) -> None:
        async with places, client.messages.stream(**body(json.loads(line))) as stream:
            text = "".join([text async for text in stream.text_stream])
            print(json.dumps({"text": text}), flush=True)

    await asyncio.gather(*map(answer, sys.stdin))


asyncio.run(many(int(sys.argv[1]))) if sys.argv[1:] else one()
