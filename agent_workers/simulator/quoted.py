"""What the text of a scenario can quote of the request that it answers."""

import json
from collections.abc import Callable, Iterator, Mapping

from agent_workers.simulator.api_request import ApiRequest
from agent_workers.simulator.schema_example import example


class Quoted(Mapping[str, object]):
    """The values by their names, each worked out only if a text quotes it."""

    def __init__(self, request: ApiRequest, call: int) -> None:
        self._values: dict[str, Callable[[], object]] = {
            "prompt": lambda: request.texts[-1],
            "first_prompt": lambda: request.texts[0],
            "prompts": lambda: len(request.prompts),
            "model": lambda: request.model,
            "result": request.latest_result,
            "call": lambda: call,
            "answer_example": lambda: json.dumps(example(request.answer_schema)),
        }

    def __getitem__(self, name: str) -> object:
        return self._values[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
