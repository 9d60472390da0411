"""Runs that no worker writes: events in any order, with any fields, and JSON of every kind."""

import json
import random
import struct

_PIECES = ["a", '"', "\\", "/", "\x7f", "\0", "\n", "é", "😀", "\u2028", "{", ":", ",", "\\u0000", '"\0']
_NUMBERS = ["-0", "-0.0", "0", "1E5", "1e-7", "0.1", "1e400", "3.0", "1e21", "123456789012345678901"]
_IDS = ['"a"', '"b"', '"1"', '"c"', '""', "7", "null"]
_QUESTIONS = ['"p"', '"q"', '"1"', "4"]
_KINDS = {
    "delta": (6, ("text", "block")),
    "thinking": (2, ("text", "block")),
    "tool_call": (5, ("tool_use_id", "name", "input", "parent_tool_use_id")),
    "tool_result": (5, ("tool_use_id", "status", "content", "parent_tool_use_id")),
    "permission_request": (4, ("permission_id", "tool_use_id", "reason", "input")),
    "permission_resolved": (3, ("permission_id", "behavior", "by", "actor")),
    "discard": (2, ("blocks", "reason")),
    "session": (1, ("session_id", "model")),
    "start": (1, ("worker", "metadata")),
    "notice": (1, ("level", "message")),
    "new": (1, ("id", "data")),
}
_ENDS = {
    "done": ("text", "stop_reason", "output", "usage", "models", "pending"),
    "error": ("code", "message", "usage"),
    "aborted": ("reason", "usage"),
}
_CHOICES = {
    "block": ["1", "2", "3", "1.5"],
    "tool_use_id": _IDS,
    "parent_tool_use_id": _IDS,
    "permission_id": _QUESTIONS,
    "status": ['"ok"', '"error"', '"denied"', '"odd"', "1"],
    "behavior": ['"allow"', '"deny"', "3"],
    "blocks": ["[1]", "[2,1]", "[3,3]", '["x"]', "5", '{"1":1}'],
    "stop_reason": ['"end_turn"', '"permission_required"', "{}"],
    "usage": ["{}", "[]", '{"input_tokens":5,"cache_read_input_tokens":9007199254740990}', '{"output_tokens":2}'],
    "models": [
        "{}",
        '{"\\u0000m":{"input_tokens":1}}',
        '{"0":{"input_tokens":1},"m":{"output_tokens":3,"input_tokens":-1}}',
        "null",
    ],
    "pending": ["null", '{"tool_use_id":"a"}', '{"tool_use_id":"b","x":{}}', '{"tool_use_id":3}', "[]"],
}


class OddRuns:
    """Makes runs, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def run(self) -> str:
        """Returns the lines of a run with a terminal event."""
        weights = [weight for weight, _ in _KINDS.values()]
        kinds = self._random.choices(list(_KINDS), weights, k=self._random.randint(1, 40))
        events = [(kind, _KINDS[kind][1]) for kind in (["start"] if self._often(0.8) else []) + kinds]
        events.append(self._random.choice(list(_ENDS.items())))
        return "".join(f"{self._event(*event, seq)}\n" for seq, event in enumerate(events, 1))

    def _event(self, kind: str, fields: tuple[str, ...], seq: int) -> str:
        head = f'"v":1,"seq":{seq},"run":"r","ts":"t","type":"{kind}"'
        there = [name for name in fields if self._often(0.3 if name == "parent_tool_use_id" else 0.93)]
        told = [f'"{name}":{self._field(name)}' for name in there]
        more = [f"{self._text()}:{self._value()}"] if self._often(0.15) else []
        return "{" + ",".join([head, *told, *more]) + "}"

    def _field(self, name: str) -> str:
        if name in _CHOICES:
            return self._random.choice(_CHOICES[name])
        if name == "input" and self._often(0.9):
            return f"{{{self._text()}: {self._value()}}}"
        return self._value() if name in ("output", "data", "metadata") or self._often(0.07) else self._text()

    def _value(self, depth: int = 0) -> str:
        kind = self._random.randint(0, 9) if depth < 4 else 0
        if kind < 4:
            return self._text()
        if kind < 6:
            return self._number()
        if kind < 7:
            return self._random.choice(["true", "false", "null", "{}", "[]"])
        items = [self._value(depth + 1) for _ in range(self._random.randint(0, 4))]
        space = self._random.choice(["", " ", "\t"])
        if kind < 9:
            return "{" + ",".join(f"{space}{self._text()}{space}:{item}" for item in items) + "}"
        return "[" + f",{space}".join(items) + "]"

    def _number(self) -> str:
        [bits] = struct.unpack("d", struct.pack("Q", self._random.getrandbits(64)))
        drawn = [str(self._random.randint(-(2**70), 2**70)), repr(bits) if bits - bits == 0 else "0"]
        return self._random.choice([*drawn, *drawn, self._random.choice(_NUMBERS)])

    def _text(self) -> str:
        text = "".join(self._random.choices(_PIECES, k=self._random.randint(0, 6)))
        return json.dumps(text, ensure_ascii=self._often(0.8))

    def _often(self, share: float) -> bool:
        return self._random.random() < share
