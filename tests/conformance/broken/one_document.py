"""Reads the first JSON document on stdin and drops the rest."""

import json
from contextlib import suppress

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def decode(self, line: bytes) -> Event:
        with suppress(ValueError):
            document, _ = json.JSONDecoder().raw_decode(self.mended(line.decode()).lstrip())
            return super().decode(json.dumps(document).encode())
        return super().decode(line)


if __name__ == "__main__":
    Broken().main()
