"""Has each line name the beginning, and none the line before it."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def encode(self, event: Event) -> bytes:
        return super().encode({**event, "prev": "0" * 64})


if __name__ == "__main__":
    Broken().main()
