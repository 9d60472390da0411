"""Echoes metadata in done alone."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def finish(self, terminal: Event) -> None:
        if terminal["type"] != "done":
            self.request.pop("metadata", None)
        super().finish(terminal)


if __name__ == "__main__":
    Broken().main()
