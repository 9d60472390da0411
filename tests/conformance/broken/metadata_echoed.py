"""Forgets metadata in the terminal event where it is nested."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def finish(self, terminal: Event) -> None:
        if "nested" in self.request.get("metadata", {}):
            del self.request["metadata"]
        super().finish(terminal)


if __name__ == "__main__":
    Broken().main()
