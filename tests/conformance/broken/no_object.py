"""Takes for granted that JSON is an object."""

import json

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def decode(self, line: bytes) -> Event:
        try:
            request: Event = json.loads(self.mended(line.decode()))
        except ValueError:
            raise self.refusal(self.problem("", "is not JSON")) from None
        return request


if __name__ == "__main__":
    Broken().main()
