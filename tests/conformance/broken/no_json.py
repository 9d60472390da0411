"""Crashes on what is no JSON."""

import json

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def decode(self, line: bytes) -> Event:
        if not line.strip():
            raise self.refusal(self.problem("", "there is none"))
        return json.loads(self.mended(line.decode()))


if __name__ == "__main__":
    Broken().main()
