"""Sends a ping after the end."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def finish(self, terminal: Event) -> None:
        super().finish(terminal)
        if terminal["type"] == "done":
            self.ping()


if __name__ == "__main__":
    Broken().main()
