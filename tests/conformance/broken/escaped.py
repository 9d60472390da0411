"""Writes text as UTF-8, without escapes."""

import json

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def encode(self, event: Event) -> bytes:
        return json.dumps(event, ensure_ascii=False).encode() + b"\n"


if __name__ == "__main__":
    Broken().main()
