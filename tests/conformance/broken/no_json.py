"""Crashes on JSON that ends in its midst."""

import json

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def decode(self, line: bytes) -> Event:
        if not line.strip():
            raise self.refusal(self.problem("", "there is none"))
        try:
            json.loads(self.mended(line.decode()))
        except json.JSONDecodeError as failure:
            if failure.msg != "Extra data":
                raise
        return super().decode(line)


if __name__ == "__main__":
    Broken().main()
